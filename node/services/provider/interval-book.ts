import type { Address, Bytes32, Hex } from '../../domain/ids.ts'
import type { Amount } from '../../domain/money.ts'
import type { Store, StoreChange } from '../../ports/store.ts'
import { KeyedLock } from '../keyed-lock.ts'
import { Table } from '../table.ts'

/** One interval of a share that is paid by the second. The id is its agreement's. */
export interface IntervalRecord {
  readonly id: Bytes32
  /** Agreement that the share began with. */
  readonly share: Bytes32
  /** Counts the share's intervals from 1. */
  readonly number: number
  readonly requester: Address
  readonly channel: Bytes32
  readonly seq: number
  readonly price: Amount
  /** `left`: written off; it can be paid still. `void`: it never began. */
  readonly state: 'agreed' | 'due' | 'left' | 'paid' | 'void'
  /** What is owed for it, once it has ended. */
  readonly amount?: Amount
  /** Unix seconds; the deadline of the share moves with it where that is later. Left out: it does not. */
  readonly finishBy?: number
  /** With both signatures. */
  readonly agreement: Hex
  readonly receipt?: Hex
  /** Unix ms. */
  readonly endedAt?: number
}

/** How the intervals of a share are to change, as they stand then. */
export type IntervalEdit = (intervals: readonly IntervalRecord[]) => readonly IntervalRecord[]

/** Changes to be written with others, and what to call once they are. */
export interface PendingWrite {
  readonly changes: readonly StoreChange[]
  readonly written: () => void
}

/** The intervals of the metered shares that this node runs: which are agreed, ended, and paid. */
export class IntervalBook {
  readonly #table: Table<IntervalRecord>
  readonly #lock = new KeyedLock()
  /** Those that can change still. */
  readonly #live = new Map<Bytes32, IntervalRecord>()
  /** The last one that has ended, by share. */
  readonly #last = new Map<Bytes32, IntervalRecord>()

  constructor(store: Store) {
    this.#table = new Table(store, 'interval/')
  }

  /** Reads everything back. */
  async load(): Promise<void> {
    for await (const interval of this.#table.all()) this.#remember(interval)
  }

  /** One that can change still. */
  get(id: Bytes32): IntervalRecord | undefined {
    return this.#live.get(id)
  }

  /** Those of a share that can change still, in order. */
  of(share: Bytes32): readonly IntervalRecord[] {
    return [...this.#live.values()]
      .filter((each) => each.share === share)
      .sort((a, b) => a.number - b.number)
  }

  /** The interval of a share with this number, if it can change still. */
  at(share: Bytes32, number: number): IntervalRecord | undefined {
    return this.of(share).find((each) => each.number === number)
  }

  /** How many intervals of a share have ended. */
  ended(share: Bytes32): number {
    return this.#last.get(share)?.number ?? 0
  }

  /** The last interval of a share that has ended, whatever became of it. */
  last(share: Bytes32): IntervalRecord | undefined {
    return this.#last.get(share)
  }

  /** Until when a share may run, Unix seconds: as it was awarded, or as its intervals were agreed since. */
  finishBy({ id, finishBy }: { readonly id: Bytes32; readonly finishBy: number }): number {
    const last = this.last(id)
    const all = last === undefined ? this.of(id) : [last, ...this.of(id)]
    return Math.max(finishBy, ...all.map((each) => each.finishBy ?? 0))
  }

  /** Forgets how far a share that is over came; what can be paid still stays. */
  forget(share: Bytes32): void {
    this.#last.delete(share)
  }

  /** As {@link forget} for all other shares. */
  forgetAllBut(isUnderWay: (share: Bytes32) => boolean): void {
    for (const share of this.#last.keys()) if (!isUnderWay(share)) this.#last.delete(share)
  }

  /** Those that have ended and are not paid. */
  due(share: Bytes32): readonly IntervalRecord[] {
    return this.of(share).filter(({ state }) => state === 'due')
  }

  /** All that can change still. */
  all(): readonly IntervalRecord[] {
    return [...this.#live.values()]
  }

  /** What is agreed or due on a channel and not paid. */
  owedOn(channel: Bytes32): Amount {
    return this.all()
      .filter((each) => each.channel === channel && each.state !== 'left')
      .reduce((sum, { amount, price }) => sum + (amount ?? price), 0n)
  }

  /** What is written off of a share and not paid still. */
  leftOf(share: Bytes32): Amount {
    return this.of(share)
      .filter(({ state }) => state === 'left')
      .reduce((sum, { amount, price }) => sum + (amount ?? price), 0n)
  }

  /** What has ended, or runs, for a requester and is not paid. */
  unpaidBy(requester: Address): Amount {
    return this.all()
      .filter((each) => each.requester === requester && each.state !== 'left')
      .filter(({ state, share, number }) => state === 'due' || number === this.ended(share) + 1)
      .reduce((sum, { amount, price }) => sum + (amount ?? price), 0n)
  }

  /** Runs `work` while nobody else changes the intervals of these shares. */
  async holding<T>(shares: readonly Bytes32[], work: () => Promise<T>): Promise<T> {
    // In one order for all, so that no two wait for each other.
    const [share, ...others] = [...new Set(shares)].sort()
    if (share === undefined) return work()
    return this.#lock.run(share, async () => this.holding(others, work))
  }

  /** The intervals as they are now to be. */
  writing(intervals: readonly IntervalRecord[]): PendingWrite {
    const key = ({ share, number }: IntervalRecord) => `${share}/${String(number).padStart(9, '0')}`
    return {
      changes: intervals.map((each) => this.#table.change(key(each), each)),
      written: () => {
        for (const each of intervals) this.#remember(each)
      },
    }
  }

  #remember(interval: IntervalRecord): void {
    const { id, share, number, state } = interval
    const hasEnded = state === 'due' || state === 'left' || state === 'paid'
    if (state === 'paid' || state === 'void') this.#live.delete(id)
    else this.#live.set(id, interval)
    if (hasEnded && number >= this.ended(share)) this.#last.set(share, interval)
  }
}

/** The intervals of a share that is over: what has run is `ended`, the rest never began. */
export function over(ended: 'due' | 'left'): IntervalEdit {
  return (intervals) =>
    intervals
      .filter(({ state }) => state !== 'left')
      .map((each) => ({ ...each, state: each.state === 'agreed' ? 'void' : ended }))
}
