import type { Connection, Startable } from '@libp2p/interface'
import { minute, second } from '../../domain/units.ts'
import type { ReachComponents } from './reach.ts'

/** The request by which AutoNAT v2 has a peer call back. Source: libp2p's specification of it. */
const DIAL_REQUEST = '/libp2p/autonat/2/dial-request'
/** How often to look for addresses that nobody has checked, ms. */
const LOOK_EVERY_MS = 5 * second
/** Peers asked in one look, and how long each is left in peace then, ms. */
const PEERS_A_LOOK = 3
const ASKED_EVERY_MS = 1 * minute

/**
 * Has peers check an address that this node came to have after they connected, such as a port that the router opened.
 * AutoNAT by itself asks only those that connect anew: in a small network, nobody.
 */
export class AddressChecks implements Startable {
  readonly #components: Pick<
    ReachComponents,
    'addressManager' | 'connectionManager' | 'peerStore' | 'registrar'
  >
  /** When each peer was asked last, Unix ms. */
  readonly #asked = new Map<string, number>()
  #timer: NodeJS.Timeout | undefined

  constructor(components: ReachComponents) {
    this.#components = components
  }

  start(): void {
    this.#timer = setInterval(() => {
      this.#look().catch(() => undefined) // a peer that was just forgotten: the next look asks another
    }, LOOK_EVERY_MS).unref()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  async #look(): Promise<void> {
    const { addressManager, connectionManager, registrar } = this.#components
    const now = Date.now()
    for (const [name, at] of this.#asked) if (now - at >= ASKED_EVERY_MS) this.#asked.delete(name)
    const isOpen = addressManager
      .getAddressesWithMetadata()
      .some(({ verified, expires }) => !verified && expires < now)
    if (!isOpen) return
    let asked = 0
    for (const connection of connectionManager.getConnections()) {
      if (asked === PEERS_A_LOOK) return
      if (!(await this.#canAsk(connection))) continue
      asked++
      this.#asked.set(connection.remotePeer.toString(), now)
      for (const topology of registrar.getTopologies(DIAL_REQUEST))
        await topology.onConnect?.(connection.remotePeer, connection)
    }
  }

  async #canAsk({ remotePeer, limits, status }: Connection): Promise<boolean> {
    if (limits !== undefined || status !== 'open') return false
    if (this.#asked.has(remotePeer.toString())) return false
    const { protocols } = await this.#components.peerStore.get(remotePeer)
    return protocols.includes(DIAL_REQUEST)
  }
}
