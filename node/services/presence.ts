import { ADVERT_VALIDITY_MS, advertFault, type Advert, type Hardware } from '../domain/advert.ts'
import type { Score } from '../domain/capacity.ts'
import { codeOf, HiveError } from '../domain/errors.ts'
import type { Address, PeerId } from '../domain/ids.ts'
import type { MachineNeed } from '../domain/machine-need.ts'
import { second } from '../domain/units.ts'
import type { Clock } from '../ports/clock.ts'
import type { Directory } from '../ports/directory.ts'
import type { Logger } from '../ports/logger.ts'
import type { Requests } from '../ports/requests.ts'
import type { Store } from '../ports/store.ts'
import { announcedTags } from '../protocol/capability-tags.ts'
import type { Signed } from '../protocol/envelope.ts'
import { addressOfPeer, isAccountPeer } from '../protocol/identity.ts'
import { searchCapable } from './capability-search.ts'
import { mapLimited } from './limited.ts'
import type { Signing } from './signing.ts'
import { Table } from './table.ts'
import { TasksInFlight } from './tasks-in-flight.ts'

/** A peer as this node sees it. */
export interface PeerView {
  readonly peer: PeerId
  readonly address: Address
  readonly connected: boolean
  readonly addresses: readonly string[]
  readonly latencyMs: number | undefined
  /** What the peer says of itself, when it could be asked. */
  readonly advert: Advert | undefined
}

export interface PresenceParts {
  readonly clock: Clock
  readonly logger: Logger
  readonly store: Store
  readonly directory: Directory
  readonly requests: Requests
  readonly signing: Signing
}

/** What to look for. */
export interface Sought extends Pick<MachineNeed, 'tags'> {
  /** Whether a peer is one of those meant, by what it says of itself. */
  readonly accepts: (view: PeerView) => boolean
}

export interface PresenceOptions {
  readonly network: string
  readonly kinds: readonly string[]
  readonly hardware: Hardware
}

/** What a node has to remember of its own adverts. */
interface OwnAdvert {
  readonly seq: number
  /** What it has announced and not withdrawn. */
  readonly tags?: readonly string[]
}

/** Renewed well before it expires, so that one failed attempt does not make the node vanish. */
const RENEW_MS: number = ADVERT_VALIDITY_MS / 3
/** Until somebody is connected there is nobody to tell, ms. */
const LONELY_RETRY_MS = 1000
const ASK_LANES = 8
/** How long a peer that was found may take to say what it is before the DHT's word counts, ms; it may be unreachable. */
const ASK_PATIENCE_MS: number = 3 * second
/** Most peers that a search ends with, and most that it asks for them. */
const MAX_FOUND = 50
const MAX_ASKED = 200
/** Nodes whose newest advert is remembered; keys cost nothing, so the one noted longest ago gives way. */
const MAX_NEWEST = 10_000

/** Says what this node is, and finds out what others are. */
export class Presence implements AsyncDisposable {
  readonly #parts: PresenceParts
  readonly #options: PresenceOptions
  readonly #table: Table<OwnAdvert>
  readonly #newest = new Map<Address, number>()
  readonly #stop = new AbortController()
  readonly #work = new TasksInFlight()
  #hardware: Hardware
  /** Aborts the rest before the next renewal. */
  #rest = new AbortController()
  #own: Signed<'Advert'> | undefined

  constructor(parts: PresenceParts, options: PresenceOptions) {
    this.#parts = parts
    this.#options = options
    this.#hardware = options.hardware
    this.#table = new Table(parts.store, 'advert/')
  }

  get hardware(): Hardware {
    return this.#hardware
  }

  /** Tells from now on what the machine was measured to do, beginning with a new advert. */
  tellScore(score: Score): void {
    this.#hardware = { ...this.#hardware, score }
    this.#rest.abort()
  }

  /** Signs the advert, answers for it, and keeps it in the DHT until disposed. */
  async start(): Promise<void> {
    await this.#renew()
    this.#parts.requests.answer('advert', async () => this.#own?.bytes ?? new Uint8Array())
    this.#work.start(
      async () => this.#keepAdvertised(),
      (error) => this.#parts.logger.error('advertising stopped', { code: codeOf(error) }),
    )
  }

  /** Checks a stranger's advert. Throws what is wrong with it; returns it when nothing is. */
  admit(bytes: Uint8Array, peer: PeerId): Advert {
    const { message } = this.#parts.signing.openFrom('Advert', bytes, [addressOfPeer(peer)])
    // [REJECT] adverts R1: it is signed by the node that it is about
    const rule =
      message.node === addressOfPeer(peer)
        ? advertFault(
            message,
            this.#parts.clock.now(),
            this.#options.network,
            this.#newest.get(message.node) ?? 0,
          )
        : 'R1'
    if (rule !== undefined) throw new HiveError('MESSAGE_MALFORMED', { type: 'Advert', rule })
    this.#newest.delete(message.node)
    this.#newest.set(message.node, message.seq)
    const [oldest] = this.#newest.keys()
    if (this.#newest.size > MAX_NEWEST && oldest !== undefined) this.#newest.delete(oldest)
    return message
  }

  /** Which of several adverts of one node, already admitted, is the newest: an index. */
  newest(adverts: readonly Uint8Array[]): number {
    const seqs = adverts.map((bytes) => this.#parts.signing.open('Advert', bytes).message.seq)
    return seqs.indexOf(Math.max(...seqs))
  }

  /** Connected peers, each asked for its own advert. */
  async peers(signal: AbortSignal): Promise<PeerView[]> {
    const connected = this.#parts.directory.connected().filter(({ peer }) => isAccountPeer(peer))
    return mapLimited(connected, ASK_LANES, async ({ peer, addresses, latencyMs }) => ({
      peer,
      address: addressOfPeer(peer),
      connected: true,
      addresses,
      latencyMs,
      advert: await this.ask(peer, signal),
    }))
  }

  /**
   * Peers that announced what is sought in the DHT and are accepted: at most MAX_FOUND, a sample where there are more.
   * Each is asked for its own advert; one that cannot be is judged by the one that the DHT has of it.
   */
  async find({ tags, accepts }: Sought, signal: AbortSignal): Promise<readonly PeerView[]> {
    const { directory } = this.#parts
    const found: PeerView[] = []
    let room = MAX_ASKED
    for await (const peers of searchCapable(directory, tags, { signal })) {
      const connected = new Map(directory.connected().map((each) => [each.peer, each]))
      const asked = peers.slice(0, room)
      room -= asked.length
      await mapLimited(asked, ASK_LANES, async (peer) => {
        if (found.length >= MAX_FOUND) return
        const view = {
          peer,
          address: addressOfPeer(peer),
          connected: connected.has(peer),
          addresses: connected.get(peer)?.addresses ?? [],
          latencyMs: connected.get(peer)?.latencyMs,
          advert: await this.#askOrLookUp(peer, signal),
        }
        if (accepts(view)) found.push(view)
      })
      if (found.length >= MAX_FOUND || room === 0) break
    }
    return found.slice(0, MAX_FOUND)
  }

  /** What a peer says of itself, or `undefined` when it could not be asked: the peer itself is the fact. */
  async ask(peer: PeerId, signal: AbortSignal): Promise<Advert | undefined> {
    try {
      return this.admit(
        await this.#parts.requests.call(peer, 'advert', new Uint8Array(), { signal }),
        peer,
      )
    } catch (error) {
      this.#parts.logger.debug('peer did not say what it is', { peer, code: codeOf(error) })
      return undefined
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new HiveError('CANCELLED'))
    await this.#work.settled()
  }

  /** The peer's own word, or the DHT's when the peer gives none in time. */
  async #askOrLookUp(peer: PeerId, signal: AbortSignal): Promise<Advert | undefined> {
    const over = new AbortController()
    const until = AbortSignal.any([signal, over.signal])
    const asked = this.ask(peer, until)
    const patience = this.#parts.clock.sleep(ASK_PATIENCE_MS, until).catch(() => undefined)
    const told = await Promise.race([asked, patience])
    over.abort(new HiveError('CANCELLED'))
    await Promise.all([asked, patience])
    return told ?? (await this.#lookUp(peer, signal))
  }

  /** The DHT is a hint. */
  async #lookUp(peer: PeerId, signal: AbortSignal): Promise<Advert | undefined> {
    try {
      const bytes = await this.#parts.directory.advertOf(peer, { signal })
      return bytes === undefined ? undefined : this.admit(bytes, peer)
    } catch (error) {
      this.#parts.logger.debug('advert in the DHT refused', { peer, code: codeOf(error) })
      return undefined
    }
  }

  async #keepAdvertised(): Promise<void> {
    const { directory, clock } = this.#parts
    const { signal } = this.#stop
    while (!signal.aborted) {
      const lonely = directory.connected().length === 0
      if (!lonely) await this.#advertise(signal)
      await clock
        .sleep(lonely ? LONELY_RETRY_MS : RENEW_MS, AbortSignal.any([signal, this.#rest.signal]))
        .catch(() => undefined) // an abort ends the loop, or the rest
      if (this.#rest.signal.aborted) this.#rest = new AbortController()
    }
  }

  /** Announces what this node is now, and ends what it was before: also before a restart. */
  async #advertise(signal: AbortSignal): Promise<void> {
    const { directory, logger, signing } = this.#parts
    const { kinds } = this.#options
    const tags = announcedTags({ kinds, hardware: this.#hardware }, signing.peer)
    const before = (await this.#table.get('own'))?.tags ?? []
    const own = await this.#renew([...new Set([...before, ...tags])])
    const dropped = before.filter((tag) => !tags.includes(tag))
    try {
      await directory.advertise(own.bytes, tags, { signal })
      if (dropped.length === 0) return
      await directory.withdraw(dropped, { signal })
      await this.#table.put('own', { seq: own.message.seq, tags })
    } catch (error) {
      logger.debug('advert not stored', { code: codeOf(error) })
    }
  }

  /** Signs the next advert. `tags`: what is announced from now on; left out: what is already. */
  async #renew(tags?: readonly string[]): Promise<Signed<'Advert'>> {
    const { clock, signing } = this.#parts
    const now = clock.now()
    const last = await this.#table.get('own')
    const seq = Math.max((last?.seq ?? 0) + 1, Math.floor(now / 1000))
    await this.#table.put('own', { seq, tags: tags ?? last?.tags ?? [] })
    const { network, kinds } = this.#options
    this.#own = signing.seal('Advert', {
      node: signing.address,
      seq,
      network,
      kinds,
      hardware: JSON.stringify(this.#hardware),
      issuedAt: now,
      expiresAt: now + ADVERT_VALIDITY_MS,
    })
    return this.#own
  }
}
