import type { Address, Bytes32 } from '../../domain/ids.ts'
import type { PaidShare } from '../../domain/voucher.ts'
import type { Store, StoreChange } from '../../ports/store.ts'
import { NO_JOBS, withShare, type JobsTree } from '../../protocol/jobs-root.ts'
import { Table } from '../table.ts'
import type { ChannelRecord } from './channel-record.ts'

/** The requester's channels and what was paid on each; what is in memory is durable. */
export class ChannelBook {
  readonly #store: Store
  readonly #table: Table<ChannelRecord>
  readonly #records = new Map<Bytes32, ChannelRecord>()
  readonly #paid = new Map<Bytes32, readonly PaidShare[]>()
  readonly #trees = new Map<Bytes32, JobsTree>()

  constructor(store: Store) {
    this.#store = store
    this.#table = new Table(store, 'channel/')
  }

  /** Reads everything back after a start. */
  async load(): Promise<void> {
    for await (const record of this.#table.all()) {
      this.#records.set(record.id, record)
      const paid: PaidShare[] = []
      for await (const share of this.#paidTable(record.id).all()) paid.push(share)
      this.#paid.set(record.id, paid)
      this.#trees.set(record.id, paid.reduce(withShare, NO_JOBS))
    }
  }

  get(channel: Bytes32): ChannelRecord | undefined {
    return this.#records.get(channel)
  }

  all(): readonly ChannelRecord[] {
    return [...this.#records.values()]
  }

  /** Channels that the contract does not say are closed, oldest first; narrowed to a provider. */
  live(provider?: Address): readonly ChannelRecord[] {
    return [...this.#records.values()]
      .filter((each) => each.status !== 'closed')
      .filter((each) => provider === undefined || each.provider === provider)
      .sort((a, b) => (a.createdAt ?? 0) - (b.createdAt ?? 0))
  }

  /** The channel that new shares of a provider go to. */
  openWith(provider: Address): ChannelRecord | undefined {
    return this.live(provider).findLast(({ status }) => status === 'open')
  }

  /** Writes a channel, together with what else must become durable with it. */
  async save(record: ChannelRecord, changes: readonly StoreChange[] = []): Promise<void> {
    await this.#store.write([this.#table.change(record.id, record), ...changes], { sync: true })
    this.#records.set(record.id, record)
  }

  /** As {@link save}, with the share that the channel's new voucher pays. */
  async pay(
    record: ChannelRecord,
    share: PaidShare,
    changes: readonly StoreChange[],
  ): Promise<void> {
    const paid = [...this.paid(record.id), share]
    const tree = withShare(this.tree(record.id), share)
    const entry = this.#paidTable(record.id).change(String(paid.length).padStart(9, '0'), share)
    await this.save(record, [entry, ...changes])
    this.#paid.set(record.id, paid)
    this.#trees.set(record.id, tree)
  }

  /** The shares paid on a channel, in order. */
  paid(channel: Bytes32): readonly PaidShare[] {
    return this.#paid.get(channel) ?? []
  }

  /** The tree over {@link paid}. */
  tree(channel: Bytes32): JobsTree {
    return this.#trees.get(channel) ?? NO_JOBS
  }

  #paidTable(channel: Bytes32): Table<PaidShare> {
    return new Table(this.#store, `paid/${channel}/`)
  }
}
