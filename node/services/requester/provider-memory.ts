import type { Address, Cid } from '../../domain/ids.ts'
import {
  NOTHING_SEEN,
  withContents,
  withPace,
  type SeenContent,
} from '../../domain/seen-content.ts'
import {
  afterDelivery,
  afterFailure,
  NO_RECORD,
  type TrackRecord,
} from '../../domain/track-record.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Store } from '../../ports/store.ts'
import { KeyedLock } from '../keyed-lock.ts'
import { Table } from '../table.ts'

/** What a delivered share showed of its provider. */
export interface ShareSeen {
  /** Went to it or came from it. */
  readonly contents: readonly Cid[]
  readonly program: Cid
  /** What a task took, ms; left out: that did not show. */
  readonly taskMs?: number
}

/** What came of the shares of each provider, over restarts. */
export class ProviderMemory {
  readonly #clock: Clock
  readonly #table: Table<TrackRecord>
  readonly #seen: Table<SeenContent>
  readonly #lock = new KeyedLock()

  constructor(parts: { readonly clock: Clock; readonly store: Store }) {
    this.#clock = parts.clock
    this.#table = new Table(parts.store, 'provider/')
    this.#seen = new Table(parts.store, 'seen/')
  }

  async get(provider: Address): Promise<TrackRecord> {
    return (await this.#table.get(provider)) ?? NO_RECORD
  }

  /** What contents it was seen with. */
  async seen(provider: Address): Promise<SeenContent> {
    return (await this.#seen.get(provider)) ?? NOTHING_SEEN
  }

  /** Notes what a delivered share showed. */
  async saw(provider: Address, { contents, program, taskMs }: ShareSeen): Promise<void> {
    await this.#lock.run(provider, async () => {
      const before = withContents(await this.seen(provider), contents, this.#clock.now())
      const after = taskMs === undefined ? before : withPace(before, program, taskMs)
      await this.#seen.put(provider, after)
    })
  }

  /** Notes a share of which `tasks` came to a billable end. */
  async delivered(provider: Address, tasks: number, tookMs: number): Promise<void> {
    await this.#change(provider, (record) => afterDelivery(record, tasks, tookMs))
  }

  /** Notes a share that failed by the provider's doing. */
  async failed(provider: Address): Promise<void> {
    await this.#change(provider, (record) => afterFailure(record, this.#clock.now()))
  }

  async #change(provider: Address, edit: (record: TrackRecord) => TrackRecord): Promise<void> {
    await this.#lock.run(provider, async () => {
      await this.#table.put(provider, edit(await this.get(provider)))
    })
  }
}
