import type { Libp2p, PeerId } from '@libp2p/interface'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { minute, second } from '../../domain/units.ts'
import type { Logger } from '../../ports/logger.ts'
import { BackOff } from './back-off.ts'
import { own } from './running.ts'

/** Marks the peers that this node was connected to, in libp2p's own memory of peers. */
const MET_TAG = 'hive-met'
/** Peers tried in one round, beside the bootstrap addresses. */
const MAX_DIALS_PER_ROUND = 16
/** Discovered peers remembered until they are met. */
const MAX_DISCOVERED = 200
/** Longest that one dial may take, ms. */
const DIAL_TIMEOUT_MS = 10 * second
/** Longest pause between rounds, ms; a lost or discovered peer ends it early. */
const MAX_PAUSE_MS = 1 * minute
/** Name under which looking around is put off; no peer and no address is called so. */
const LOOKING = 'looking around'
/** Longest that looking around may take, ms. */
const LOOK_TIMEOUT_MS = 10 * second
/** Random part of each pause, ms, so that two ends of a lost connection seldom dial at once. */
const JITTER_MS = 500

/** Whom to keep in touch with. */
export interface PeerKeeperOptions {
  /** Multiaddrs that are always dialled again. */
  readonly bootstrap: readonly string[]
  /** Peers met or discovered are dialled while fewer than this are connected. */
  readonly wantedPeers: number
}

interface Target {
  readonly name: string
  readonly to: Multiaddr | PeerId
}

/**
 * Keeps a node connected. libp2p gives up on lost peers after half a minute and never dials those it
 * discovers; after a longer partition two halves of a network would stay apart for good.
 */
export class PeerKeeper implements AsyncDisposable {
  readonly #libp2p: Libp2p
  readonly #logger: Logger
  readonly #options: PeerKeeperOptions
  readonly #backOff = new BackOff()
  /** Who answered at a bootstrap address. */
  readonly #answered = new Map<string, string>()
  readonly #discovered = new Map<string, PeerId>()
  readonly #running = new Set<Promise<void>>()
  readonly #stop = new AbortController()
  #poke = Promise.withResolvers<void>()

  constructor(
    parts: { readonly libp2p: Libp2p; readonly logger: Logger },
    options: PeerKeeperOptions,
  ) {
    this.#libp2p = parts.libp2p
    this.#logger = parts.logger
    this.#options = options
  }

  /** Begins to dial; returns at once. */
  start(): void {
    const { signal } = this.#stop
    this.#libp2p.addEventListener('peer:disconnect', () => this.#poke.resolve(), { signal })
    this.#libp2p.addEventListener('peer:discovery', ({ detail }) => this.#heard(detail.id), {
      signal,
    })
    this.#libp2p.addEventListener(
      'peer:identify',
      ({ detail }) => void own(this.#running, this.#met(detail.peerId)),
      { signal },
    )
    void own(this.#running, this.#run())
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    this.#poke.resolve()
    await Promise.all(this.#running)
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      this.#poke = Promise.withResolvers<void>()
      try {
        const targets = await this.#targets()
        const due = targets.filter(({ name }) => this.#backOff.dueAt(name) <= Date.now())
        await Promise.all([this.#look(), ...due.map((target) => this.#dial(target))])
        await this.#pause([...targets, ...(this.#isLonely() ? [{ name: LOOKING }] : [])])
      } catch (error) {
        this.#logger.error('keeping peers failed', { error: String(error) })
        await this.#pause([])
      }
    }
  }

  async #targets(): Promise<readonly Target[]> {
    const connected = new Set(this.#libp2p.getPeers().map(String))
    const isNew = (peer: string): boolean =>
      !connected.has(peer) && peer !== this.#libp2p.peerId.toString()
    const bootstrap = this.#options.bootstrap.filter((address) =>
      isNew(this.#answered.get(address) ?? address.split('/p2p/').at(-1) ?? ''),
    )
    const targets: Target[] = bootstrap.map((name) => ({ name, to: multiaddr(name) }))
    if (connected.size >= this.#options.wantedPeers) return targets
    const met = await this.#libp2p.peerStore.all({ filters: [({ tags }) => tags.has(MET_TAG)] })
    const known = [...met.map(({ id }) => id), ...this.#discovered.values()]
    const others = new Map(known.map((peer) => [peer.toString(), peer]))
    const candidates = [...others]
      .filter(([name]) => isNew(name))
      .toSorted(([a], [b]) => this.#backOff.dueAt(a) - this.#backOff.dueAt(b))
    return [
      ...targets,
      ...candidates.slice(0, MAX_DIALS_PER_ROUND).map(([name, to]) => ({ name, to })),
    ]
  }

  async #dial({ name, to }: Target): Promise<void> {
    const signal = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(DIAL_TIMEOUT_MS)])
    try {
      const { remotePeer } = await this.#libp2p.dial(to, { signal })
      this.#backOff.succeeded(name)
      this.#answered.set(name, remotePeer.toString())
      this.#logger.info('connected', { peer: remotePeer.toString() })
    } catch (error) {
      this.#backOff.failed(name, Date.now())
      this.#logger.debug('dial failed', { target: name, error: String(error) })
    }
  }

  #isLonely(): boolean {
    const connected = this.#libp2p.getPeers().length
    return connected > 0 && connected < this.#options.wantedPeers
  }

  /** Asks the neighbours who else is there: the DHT asks at its start, and then not for minutes. */
  async #look(): Promise<void> {
    if (!this.#isLonely() || this.#backOff.dueAt(LOOKING) > Date.now()) return
    // less and less often: a small network has no more to find
    this.#backOff.failed(LOOKING, Date.now())
    const signal = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(LOOK_TIMEOUT_MS)])
    const { peerId, peerRouting } = this.#libp2p
    try {
      const nearest = peerRouting.getClosestPeers(peerId.toMultihash().bytes, { signal })
      for await (const { id } of nearest) if (!id.equals(peerId)) this.#heard(id)
    } catch (error) {
      this.#logger.debug('looking around failed', { error: String(error) })
    }
  }

  /** Until the next target is due, a peer is lost or found, or the keeper stops. */
  async #pause(targets: readonly Pick<Target, 'name'>[]): Promise<void> {
    const now = Date.now()
    const waits = targets.map(({ name }) => this.#backOff.dueAt(name) - now)
    // one that just connected is not due again, and its wait would be below zero
    const next = Math.min(MAX_PAUSE_MS, ...waits.filter((wait) => wait > 0))
    await this.#nap(next, this.#poke.promise)
    const stopped = Promise.withResolvers<void>()
    this.#stop.signal.addEventListener('abort', () => stopped.resolve(), { once: true })
    if (!this.#stop.signal.aborted) await this.#nap(Math.random() * JITTER_MS, stopped.promise)
  }

  async #nap(ms: number, early: Promise<void>): Promise<void> {
    const late = Promise.withResolvers<void>()
    const timer = setTimeout(late.resolve, ms)
    await Promise.race([late.promise, early])
    clearTimeout(timer)
  }

  #heard(peer: PeerId): void {
    if (this.#discovered.size >= MAX_DISCOVERED || this.#discovered.has(peer.toString())) return
    this.#discovered.set(peer.toString(), peer)
    this.#poke.resolve()
  }

  async #met(peer: PeerId): Promise<void> {
    this.#discovered.delete(peer.toString())
    try {
      await this.#libp2p.peerStore.merge(peer, { tags: { [MET_TAG]: { value: 1 } } })
    } catch (error) {
      this.#logger.debug('peer not remembered', { error: String(error) })
    }
  }
}
