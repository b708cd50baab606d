import { Type, type Static } from 'typebox'
import { AddressText, TimeMs } from './basics.ts'
import { HardwareBody } from './hardware.ts'

/** What jobs may use of a machine, or what of it is free. */
const MachineBody = Type.Object({
  cpuMillis: Type.Number(),
  memoryBytes: Type.Number(),
  diskBytes: Type.Number(),
  /** Places for tasks on GPUs: one on each, or several where they are shared. */
  gpus: Type.Optional(Type.Integer()),
})

/** Whether others see this node: what the peers say that it asked. */
const VisibilityBody = Type.Object({
  /** When peers were last asked; absent while none could be. */
  askedAt: Type.Optional(TimeMs),
  asked: Type.Integer(),
  listed: Type.Integer({ description: 'of those asked, who find its advert in the DHT' }),
  reached: Type.Integer({ description: 'of those asked, who could open a connection to it' }),
  faults: Type.Array(Type.String(), { description: 'error codes, each with what to do' }),
})
export type VisibilityBody = Static<typeof VisibilityBody>

/** What this node is and how it is doing. */
export const StatusBody = Type.Object({
  peer: Type.String(),
  address: AddressText,
  network: Type.String(),
  chain: Type.Object({
    id: Type.Integer(),
    escrow: AddressText,
    fault: Type.Optional(
      Type.String({ description: 'error code: why the endpoint gave no answer when last asked' }),
    ),
  }),
  addresses: Type.Array(Type.String()),
  reachability: Type.Union(
    [Type.Literal('direct'), Type.Literal('relayed'), Type.Literal('unknown')],
    { description: 'How others come here: by an own address, through relays, or in no known way' },
  ),
  relaying: Type.Object({
    via: Type.Array(Type.String(), { description: 'relays through which others reach this node' }),
    connections: Type.Integer({ description: 'own connections that go through a relay now' }),
    carried: Type.Integer({ description: 'nodes that are reached through this one' }),
  }),
  kinds: Type.Array(Type.String()),
  hardware: HardwareBody,
  startedAt: TimeMs,
  uptimeMs: Type.Integer(),
  /** Present on a provider. */
  slots: Type.Optional(
    Type.Object({
      total: MachineBody,
      free: MachineBody,
      waiting: Type.Integer(),
      utilisation: Type.Number(),
    }),
  ),
  /** Why a provider takes no new work at all now; absent while it does. */
  pausedBy: Type.Optional(Type.String()),
  /** Absent until the node has looked for the first time. */
  visibility: Type.Optional(VisibilityBody),
  /** Differences of this node's channels, jobs and cases from the contract since it started. */
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
