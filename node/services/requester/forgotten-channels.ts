import type { Bytes32 } from '../../domain/ids.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Store } from '../../ports/store.ts'
import { Table } from '../table.ts'

export interface ForgottenChannelsParts {
  readonly clock: Clock
  readonly store: Store
}

/** An own channel that was found on chain and of which nothing else is on record. */
interface ForgottenRecord {
  readonly id: Bytes32
  /** Unix ms. */
  readonly foundAt: number
}

/** Own channels whose records are lost, as with the data folder: what was promised on them is not known any more. */
export class ForgottenChannels {
  readonly #clock: Clock
  readonly #table: Table<ForgottenRecord>
  readonly #records = new Map<Bytes32, ForgottenRecord>()

  constructor({ clock, store }: ForgottenChannelsParts) {
    this.#clock = clock
    this.#table = new Table(store, 'forgotten/')
  }

  /** Reads them back after a start. */
  async load(): Promise<void> {
    for await (const record of this.#table.all()) this.#records.set(record.id, record)
  }

  all(): readonly Bytes32[] {
    return [...this.#records.keys()]
  }

  has(channel: Bytes32): boolean {
    return this.#records.has(channel)
  }

  /** When a channel was found, Unix ms; `undefined` for one that is on record elsewhere. */
  foundAt(channel: Bytes32): number | undefined {
    return this.#records.get(channel)?.foundAt
  }

  async adopt(id: Bytes32): Promise<void> {
    const record = { id, foundAt: this.#clock.now() }
    await this.#table.put(id, record)
    this.#records.set(id, record)
  }
}
