import { codeOf, HiveError } from '../../domain/errors.ts'
import type { Bytes32 } from '../../domain/ids.ts'
import { minute, second } from '../../domain/units.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Escrow, EscrowChannel } from '../../ports/escrow.ts'
import type { Logger } from '../../ports/logger.ts'
import type { Store } from '../../ports/store.ts'
import { isBuried, isOver } from '../buried.ts'
import type { DriftCounts } from '../drift.ts'
import type { Earnings } from '../provider/earnings.ts'
import type { WorkBook } from '../provider/work-book.ts'
import type { Requester } from '../requester/requester.ts'
import type { Signing } from '../signing.ts'
import { Table } from '../table.ts'
import { TasksInFlight } from '../tasks-in-flight.ts'
import { ProviderWatch, type ProviderWatchOptions } from './provider-watch.ts'
import { RequesterWatch } from './requester-watch.ts'

export interface WatchtowerParts {
  readonly clock: Clock
  readonly logger: Logger
  readonly escrow: Escrow
  readonly signing: Signing
  readonly store: Store
  readonly requester: Pick<Requester, 'channels' | 'book' | 'forgotten'>
  /** Where cases are counted that needed this node. */
  readonly counts: DriftCounts
  readonly provider?: { readonly earnings: Earnings; readonly works: WorkBook }
}

/** How often the node's channels are looked after, ms: an answer has a day. */
const INTERVAL_MS: number = 5 * minute

/** A channel in which nothing was left to do. */
interface Over {
  readonly id: Bytes32
  /** Unix ms. */
  readonly since: number
}

/** What a role does on a channel of its own. */
interface Watch {
  look(channel: EscrowChannel, now: number, signal: AbortSignal): Promise<void>
}

/**
 * Looks after the node's own channels: what to do follows from the contract's state alone, so that
 * nothing is missed over a restart and nothing is done twice.
 */
export class Watchtower implements AsyncDisposable {
  readonly #parts: WatchtowerParts
  readonly #requester: RequesterWatch
  readonly #provider: ProviderWatch | undefined
  readonly #stop = new AbortController()
  readonly #work = new TasksInFlight()
  /** Channels in which nothing can happen any more, unless the chain is reorganised. */
  readonly #table: Table<Over>
  readonly #over = new Map<Bytes32, Over>()

  constructor(parts: WatchtowerParts, options: Partial<ProviderWatchOptions> = {}) {
    const { requester, provider } = parts
    this.#parts = parts
    this.#table = new Table(parts.store, 'over/')
    this.#requester = new RequesterWatch({ ...parts, ...requester })
    if (provider !== undefined)
      this.#provider = new ProviderWatch({ ...parts, ...provider }, options)
  }

  start(): void {
    this.#work.start(
      async () => this.#loop(),
      (error) => this.#parts.logger.error('watching stopped', { code: codeOf(error) }),
    )
  }

  /** Looks at every channel once; what fails on one is logged and tried again at the next pass. */
  async pass(signal: AbortSignal): Promise<void> {
    const { clock, escrow, requester, provider } = this.#parts
    // A chain without traffic tells an old time; a late one is at worst refused.
    const time = await escrow.time({ signal })
    const now = Math.max(time, Math.floor(clock.now() / second))
    const { channels, forgotten } = requester
    // Closed ones too: a case outlives its channel.
    for (const id of [...channels.every().map((each) => each.id), ...forgotten.all()])
      await this.#look(id, this.#requester, now, signal)
    if (this.#provider === undefined) return
    for (const { id } of provider?.earnings.all() ?? [])
      await this.#look(id, this.#provider, now, signal)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new HiveError('CANCELLED'))
    await this.#work.settled()
  }

  async #look(id: Bytes32, watch: Watch, now: number, signal: AbortSignal): Promise<void> {
    const { escrow, logger, clock } = this.#parts
    const over = this.#over.get(id)
    if (over !== undefined && isBuried(over.since, clock.now())) return
    try {
      const channel = await escrow.channel(id, { signal })
      if (channel === undefined) return
      await watch.look(channel, now, signal)
      await this.#note(id, isOver(channel))
    } catch (error) {
      if (signal.aborted) throw error
      logger.warn('channel not looked after', {
        channel: id,
        code: codeOf(error),
        message: String(error),
      })
    }
  }

  async #note(id: Bytes32, isOverNow: boolean): Promise<void> {
    if (isOverNow === this.#over.has(id)) return
    const over = { id, since: this.#parts.clock.now() }
    if (isOverNow) {
      await this.#table.put(id, over)
      this.#over.set(id, over)
    } else {
      await this.#table.remove(id)
      this.#over.delete(id)
    }
  }

  async #loop(): Promise<void> {
    const { signal } = this.#stop
    for await (const over of this.#table.all()) this.#over.set(over.id, over)
    while (!signal.aborted) {
      await this.pass(signal).catch((error: unknown) => {
        // An endpoint that is away is a pause, not a failure: the next pass asks again.
        this.#parts.logger.warn('channels could not be looked after', { code: codeOf(error) })
      })
      await this.#parts.clock.sleep(INTERVAL_MS, signal).catch(() => undefined) // an abort ends the loop
    }
  }
}
