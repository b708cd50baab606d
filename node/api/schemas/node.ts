import { Type, type Static } from 'typebox'
import { AddressText, ResourcesBody, TimeMs } from './basics.ts'

/** A machine, as its own node detected it. */
export const HardwareBody = Type.Object({
  cpuModel: Type.String(),
  arch: Type.String(),
  cores: Type.Number(),
  memoryBytes: Type.Number(),
  diskBytes: Type.Number(),
  gpus: Type.Array(Type.String()),
  sandboxes: Type.Record(Type.String(), Type.String()),
})
export type HardwareBody = Static<typeof HardwareBody>

/** What this node is and how it is doing. */
export const StatusBody = Type.Object({
  peer: Type.String(),
  address: AddressText,
  network: Type.String(),
  chain: Type.Object({ id: Type.Integer(), escrow: AddressText }),
  addresses: Type.Array(Type.String()),
  kinds: Type.Array(Type.String()),
  hardware: HardwareBody,
  startedAt: TimeMs,
  uptimeMs: Type.Integer(),
  /** Present on a provider. */
  slots: Type.Optional(
    Type.Object({
      total: ResourcesBody,
      free: Type.Object({
        cpuMillis: Type.Number(),
        memoryBytes: Type.Number(),
        diskBytes: Type.Number(),
      }),
      waiting: Type.Integer(),
      utilisation: Type.Number(),
    }),
  ),
  /** Differences between this node's channels and the contract since it started. */
  drift: Type.Integer(),
})
export type StatusBody = Static<typeof StatusBody>

/** Another node. What it says of itself is its own word. */
export const PeerBody = Type.Object({
  peer: Type.String(),
  address: AddressText,
  connected: Type.Boolean(),
  addresses: Type.Array(Type.String()),
  latencyMs: Type.Optional(Type.Number()),
  kinds: Type.Optional(Type.Array(Type.String())),
  hardware: Type.Optional(HardwareBody),
  freshUntil: Type.Optional(TimeMs),
})
export type PeerBody = Static<typeof PeerBody>
