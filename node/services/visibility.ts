import { ERROR_CODES } from '../domain/error-codes.ts'
import { codeOf, HiveError } from '../domain/errors.ts'
import type { PeerId } from '../domain/ids.ts'
import { second } from '../domain/units.ts'
import { visibilityFaults, type Sighting, type VisibilityFault } from '../domain/visibility.ts'
import type { Clock } from '../ports/clock.ts'
import type { Directory, Reachability } from '../ports/directory.ts'
import type { Gossip } from '../ports/gossip.ts'
import type { Logger } from '../ports/logger.ts'
import type { CallOptions, Requests } from '../ports/requests.ts'
import type { Sight } from '../ports/sight.ts'
import { isAccountPeer } from '../protocol/identity.ts'
import { sightAnswer } from '../protocol/requests.ts'
import { AskingTimes } from './asking-times.ts'
import type { Presence } from './presence.ts'
import { TasksInFlight } from './tasks-in-flight.ts'

export interface VisibilityParts {
  readonly clock: Clock
  readonly logger: Logger
  readonly gossip: Pick<Gossip, 'listeners'>
  readonly requests: Requests
  readonly directory: Directory
  readonly sight: Sight
  readonly presence: Pick<Presence, 'admit'>
  readonly reachability: () => Reachability
}

/** How others see this node. */
export interface View {
  /** Unix ms of the last time that peers were asked; left out: nobody could be. */
  readonly askedAt?: number
  /** Peers that answered, and of these those that find its advert and those that could connect to it. */
  readonly asked: number
  readonly listed: number
  readonly reached: number
  readonly faults: readonly VisibilityFault[]
}

/** How often the node looks at its own connections and meshes, ms. */
const LOOK_EVERY_MS: number = 20 * second
/** Before the first look a node may join, ms. */
const SETTLE_MS: number = 10 * second
/** Most peers that are asked at a time, one after another until one sees the node: each searches the DHT for it. */
const ASKED_PEERS = 4
/** Looks for others under way at a time: each is a search in the DHT and a dial. */
const MAX_LOOKS = 8

/** Finds out whether others see this node and can reach it, says so, and looks for them in turn. */
export class Visibility implements AsyncDisposable {
  readonly #parts: VisibilityParts
  readonly #topics: readonly string[]
  readonly #stop = new AbortController()
  readonly #work = new TasksInFlight()
  #sightings: readonly Sighting[] = []
  #view: View | undefined
  #looks = 0
  /** How many peers were asked so far. */
  #asked = 0

  constructor(parts: VisibilityParts, options: { readonly topics: readonly string[] }) {
    this.#parts = parts
    this.#topics = options.topics
  }

  /** What was found last; `undefined` until then. */
  get view(): View | undefined {
    return this.#view
  }

  /** Answers others from now on, and looks itself until disposed. */
  start(): void {
    this.#parts.requests.answer('sight', async (from, _request, options) =>
      sightAnswer.encode(await this.#look(from, options)),
    )
    this.#work.start(
      async () => this.#watch(),
      (error) => this.#parts.logger.error('self-check stopped', { code: codeOf(error) }),
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new HiveError('CANCELLED'))
    await this.#work.settled()
  }

  async #watch(): Promise<void> {
    const { clock } = this.#parts
    const { signal } = this.#stop
    const times = new AskingTimes()
    let restMs = SETTLE_MS
    while (!signal.aborted) {
      await clock.sleep(restMs, signal).catch(() => undefined) // an abort ends the loop
      if (signal.aborted) return
      restMs = LOOK_EVERY_MS
      const isDue = times.isDue(this.#way(), clock.now())
      if (isDue) this.#sightings = await this.#ask(signal)
      const { faults } = this.#tell(isDue)
      if (isDue) times.note(faults.length === 0 && this.#sightings.length > 0, clock.now())
    }
  }

  /** How others come to this node; when it changes they may not see it any more, or again. */
  #way(): string {
    const { directory, reachability } = this.#parts
    const isAlone = directory.connected().length === 0
    return [isAlone, reachability(), ...directory.addresses().toSorted()].join(' ')
  }

  /** Asks connected peers until one sees this node, others each time. Those that do not answer do not count. */
  async #ask(signal: AbortSignal): Promise<readonly Sighting[]> {
    const { directory, requests, logger } = this.#parts
    const peers = directory.connected().filter(({ peer }) => isAccountPeer(peer))
    const from = this.#asked % Math.max(1, peers.length)
    const sightings: Sighting[] = []
    for (const { peer } of [...peers.slice(from), ...peers.slice(0, from)].slice(0, ASKED_PEERS)) {
      this.#asked += 1
      try {
        const answer = await requests.call(peer, 'sight', new Uint8Array(), { signal })
        const sighting = sightAnswer.decode(answer)
        sightings.push(sighting)
        if (sighting.listed && sighting.reached !== false) break
      } catch (error) {
        logger.debug('peer did not say whether it sees this node', { peer, code: codeOf(error) })
      }
    }
    return sightings
  }

  #tell(asked: boolean): View {
    const { clock, directory, gossip, sight, logger, reachability } = this.#parts
    const cut = this.#topics.filter(
      (topic) => gossip.listeners(topic) > 0 && sight.neighbours(topic) === 0,
    )
    const faults = visibilityFaults({
      connected: directory.connected().length,
      cutTopics: cut.length,
      relayed: reachability() === 'relayed',
      sightings: this.#sightings,
    })
    const before = this.#view?.faults ?? []
    const askedAt = asked && this.#sightings.length > 0 ? clock.now() : this.#view?.askedAt
    this.#view = {
      ...(askedAt !== undefined && { askedAt }),
      asked: this.#sightings.length,
      listed: this.#sightings.filter(({ listed }) => listed).length,
      reached: this.#sightings.filter(({ reached }) => reached === true).length,
      faults,
    }
    for (const code of faults.filter((each) => !before.includes(each)))
      logger.warn('others cannot see this node', { code, ...ERROR_CODES[code] })
    if (before.length > 0 && faults.length === 0) logger.info('others see this node again')
    return this.#view
  }

  /** Whether this node finds another's advert and can reach it. */
  async #look(from: PeerId, { signal }: CallOptions): Promise<Sighting> {
    const { sight } = this.#parts
    if (this.#looks >= MAX_LOOKS) throw new HiveError('PEER_QUOTA', { maxLooks: MAX_LOOKS })
    this.#looks += 1
    try {
      const [listed, reached] = await Promise.all([
        this.#isListed(from, signal),
        sight.reaches(from, { signal }),
      ])
      return { listed, ...(reached !== undefined && { reached }) }
    } finally {
      this.#looks -= 1
    }
  }

  async #isListed(peer: PeerId, signal: AbortSignal): Promise<boolean> {
    const { directory, presence, logger } = this.#parts
    try {
      const bytes = await directory.advertOf(peer, { signal })
      if (bytes === undefined) return false
      presence.admit(bytes, peer)
      return true
    } catch (error) {
      logger.debug('advert of a peer not found', { peer, code: codeOf(error) })
      return false
    }
  }
}
