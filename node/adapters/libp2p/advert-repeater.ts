import type { KadDHT } from '@libp2p/kad-dht'
import { own } from './running.ts'

/** DHT peers from which on a new one changes little: that many hold each record. */
const ENOUGH_PEERS = 20

/** The DHT's table of peers, of which its public type shows only the size. */
interface RoutingTable extends EventTarget {
  readonly size: number
}

/**
 * Announces again while a node's DHT is still small. What a node announces alone is stored nowhere,
 * and the first node of a network is always alone.
 */
export class AdvertRepeater implements AsyncDisposable {
  readonly #table: RoutingTable
  readonly #stop = new AbortController()
  readonly #running = new Set<Promise<void>>()
  #announce: ((signal: AbortSignal) => Promise<void>) | undefined
  #due = false

  constructor(dht: KadDHT) {
    this.#table = (dht as unknown as { readonly routingTable: RoutingTable }).routingTable
    this.#table.addEventListener('peer:add', () => this.#peerCame(), { signal: this.#stop.signal })
  }

  /** What to do again from now on, instead of what it was before. It must not reject. */
  repeat(announce: (signal: AbortSignal) => Promise<void>): void {
    this.#announce = announce
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await Promise.all(this.#running)
  }

  #peerCame(): void {
    if (this.#announce === undefined || this.#table.size > ENOUGH_PEERS) return
    this.#due = true
    if (this.#running.size === 0) void own(this.#running, this.#run())
  }

  /** One announcement at a time; peers that come meanwhile share the next. */
  async #run(): Promise<void> {
    while (this.#due && !this.#stop.signal.aborted) {
      this.#due = false
      await this.#announce?.(this.#stop.signal)
    }
  }
}
