import {
  circuitRelayServer,
  RELAY_V2_HOP_CODEC,
  type CircuitRelayServerComponents,
  type CircuitRelayService,
  type CircuitRelayTransportComponents,
} from '@libp2p/circuit-relay-v2'
import type { IdentifyResult, PeerId, Startable } from '@libp2p/interface'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { reachOf } from '../../domain/ip-address.ts'
import type { Switch } from '../../domain/switch.ts'
import { hour, MiB, second } from '../../domain/units.ts'
import type { Reachability, Relaying } from '../../ports/directory.ts'

export interface ReachOptions {
  /** Whether to carry connections for others. */
  readonly relay: Switch
  /** Whether to be reached through relays. */
  readonly viaRelays: Switch
  /** Whether private addresses count as ones at which others reach this node. */
  readonly allowPrivateAddresses: boolean
}

/** Bounds of what one relay gives away. A connection that reaches one is cut, and made anew. */
export const RELAY_LIMITS = {
  /** Nodes that may be reached through it at a time. */
  maxReservations: 64,
  reservationTtl: 1 * hour,
  defaultDurationLimit: 1 * hour,
  /** Both ways together; enough for the inputs and results of most jobs. */
  defaultDataLimit: BigInt(256 * MiB),
} as const
/** Relays that a node is reached through at a time: one may go. */
const WANTED_RELAYS = 2
/** How long a node may take to learn of an address of its own before it asks relays, ms; and when one is asked again. */
export const PATIENCE_MS: number = 15 * second

/** What of libp2p it works with. */
export type ReachComponents = CircuitRelayServerComponents & CircuitRelayTransportComponents
/** What may make a node reachable, or not any more. */
const CHANGES = ['self:peer:update', 'peer:identify', 'peer:disconnect'] as const

/** How others come to this node, and what it does about it: relay for others, or be reached through relays. */
export class Reach implements Startable {
  readonly #components: ReachComponents
  readonly #options: ReachOptions
  readonly #server: Startable & CircuitRelayService
  /** When each relay was asked last, Unix ms. */
  readonly #asked = new Map<string, number>()
  /** Connected peers that have said on this connection that they carry for others. */
  readonly #offering = new Set<string>()
  #startedAt = 0
  #timer: NodeJS.Timeout | undefined
  #isServing = false
  #adapting = Promise.resolve()
  /** One that went may be back at once, and holds nothing for this node any more. */
  readonly #onGone = ({ detail }: { readonly detail: PeerId }): void => {
    this.#asked.delete(detail.toString())
    this.#offering.delete(detail.toString())
  }
  readonly #onIdentify = ({ detail }: { readonly detail: IdentifyResult }): void => {
    const name = detail.peerId.toString()
    if (detail.protocols.includes(RELAY_V2_HOP_CODEC)) this.#offering.add(name)
    else this.#offering.delete(name)
  }
  readonly #onChange = (): void => {
    this.#adapting = this.#adapting.then(() => this.#adapt()).catch(() => undefined) // the next change tries again
  }

  constructor(components: ReachComponents, options: ReachOptions) {
    this.#components = components
    this.#options = options
    // one that libp2p does not start by itself
    this.#server = circuitRelayServer({ reservations: RELAY_LIMITS })(components) as Startable &
      CircuitRelayService
  }

  get reachability(): Reachability {
    const addresses = this.#components.addressManager.getAddresses()
    if (addresses.some((one) => this.#isDirect(one))) return 'direct'
    return addresses.some(isRelayed) ? 'relayed' : 'unknown'
  }

  get relaying(): Relaying {
    const { addressManager, connectionManager } = this.#components
    const via = addressManager.getAddresses().map(relayOf)
    const limited = connectionManager.getConnections().filter(({ limits }) => limits !== undefined)
    return {
      via: [...new Set(via)].filter((one) => one !== undefined),
      connections: limited.length,
      carried: this.#server.reservations.size,
    }
  }

  start(): void {
    const { events } = this.#components
    events.addEventListener('peer:disconnect', this.#onGone)
    events.addEventListener('peer:identify', this.#onIdentify)
  }

  async afterStart(): Promise<void> {
    const { events } = this.#components
    for (const type of CHANGES) events.addEventListener(type, this.#onChange)
    this.#startedAt = Date.now()
    this.#timer = setInterval(this.#onChange, PATIENCE_MS).unref()
    await this.#adapt()
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    const { events } = this.#components
    events.removeEventListener('peer:disconnect', this.#onGone)
    events.removeEventListener('peer:identify', this.#onIdentify)
    for (const type of CHANGES) events.removeEventListener(type, this.#onChange)
    await this.#adapting
    if (this.#isServing) await this.#server.stop()
    this.#isServing = false
  }

  async #adapt(): Promise<void> {
    const { relay, viaRelays, allowPrivateAddresses } = this.#options
    const isDirect = this.reachability === 'direct'
    // on private networks nothing is known of who reaches whom: only what is asked for
    const serves = relay === 'on' || (relay === 'auto' && isDirect && !allowPrivateAddresses)
    if (serves && !this.#isServing) {
      this.#isServing = true
      await this.#server.start()
    }
    const isLate = Date.now() - this.#startedAt >= PATIENCE_MS
    const isHidden = viaRelays === 'auto' && isLate && !isDirect && !allowPrivateAddresses
    if (viaRelays === 'on' || isHidden) await this.#findRelays()
  }

  /** Asks those that this node is connected with; libp2p's own search never ends while nobody is there. */
  async #findRelays(): Promise<void> {
    const { addressManager, connectionManager, transportManager } = this.#components
    for (const { remotePeer, remoteAddr, limits } of connectionManager.getConnections()) {
      const used = addressManager.getAddresses().filter(isRelayed)
      if (new Set(used.map(relayOf)).size >= WANTED_RELAYS) return
      const name = remotePeer.toString()
      const isDue = Date.now() - (this.#asked.get(name) ?? 0) >= PATIENCE_MS
      if (limits !== undefined || !isDue || used.some((one) => relayOf(one) === name)) continue
      // not what is remembered of it: one asked before it carries again is never asked again by libp2p
      if (!this.#offering.has(name)) continue
      this.#asked.set(name, Date.now())
      const way = remoteAddr.toString().split('/p2p/')[0] ?? ''
      await transportManager.listen([multiaddr(`${way}/p2p/${name}/p2p-circuit`)])
    }
  }

  #isDirect(address: Multiaddr): boolean {
    if (isRelayed(address)) return false
    const ip = /^\/ip[46]\/([^/]+)/.exec(address.toString())?.[1]
    return this.#options.allowPrivateAddresses || ip === undefined || reachOf(ip) === 'public'
  }
}

function isRelayed(address: Multiaddr): boolean {
  return address.toString().includes('/p2p-circuit')
}

/** The relay of such an address. */
function relayOf(address: Multiaddr): string | undefined {
  return /\/p2p\/([^/]+)\/p2p-circuit/.exec(address.toString())?.[1]
}
