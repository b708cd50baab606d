import type { Address } from '../../domain/ids.ts'
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

/** What came of the shares of each provider, over restarts. */
export class ProviderMemory {
  readonly #clock: Clock
  readonly #table: Table<TrackRecord>
  readonly #lock = new KeyedLock()

  constructor(parts: { readonly clock: Clock; readonly store: Store }) {
    this.#clock = parts.clock
    this.#table = new Table(parts.store, 'provider/')
  }

  async get(provider: Address): Promise<TrackRecord> {
    return (await this.#table.get(provider)) ?? NO_RECORD
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
