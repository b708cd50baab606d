import { HiveError } from '../../domain/errors.ts'
import type { Address, Bytes32, Hex } from '../../domain/ids.ts'
import { isFinal, step } from '../../domain/job-state.ts'
import type { Amount } from '../../domain/money.ts'
import { isMetered } from '../../domain/metering.ts'
import type { TaskResult } from '../../domain/receipt.ts'
import type { Store } from '../../ports/store.ts'
import { fromHex } from '../../protocol/bytes.ts'
import type { ShareEvent } from '../../protocol/share-events.ts'
import { Table } from '../table.ts'
import {
  IntervalBook,
  type IntervalEdit,
  type IntervalRecord,
  type PendingWrite,
} from './interval-book.ts'
import { AttachedTasks } from './attached-tasks.ts'
import type { WorkRecord } from './records.ts'
import { ShareLog } from './share-log.ts'

/** What a case can be about. */
export interface Claim {
  readonly id: Bytes32
  readonly seq: number
  readonly agreement: Hex
  readonly receipt?: Hex
  readonly amount?: Amount
  /** Unix ms. */
  readonly finishedAt: number
}

/** What is remembered of a share that was written off. */
type WrittenOff = Pick<WorkRecord, 'id' | 'requester' | 'ask' | 'price' | 'amount'>

/** What a voucher pays for. */
type Payable = WorkRecord | IntervalRecord

/** Logs kept of shares that have ended, for followers whose line broke; each holds up to 16 MiB. */
const MAX_ENDED_LOGS = 8

/** The one writer of what this node works on, with the live events of each share. */
export class WorkBook {
  readonly #table: Table<WorkRecord>
  readonly #ended: Table<TaskResult>
  /** The intervals of the shares that are paid by the second. */
  readonly intervals: IntervalBook
  readonly attached: AttachedTasks
  readonly #store: Store
  readonly #unpaid = new Map<Bytes32, WorkRecord>()
  readonly #logs = new Map<Bytes32, ShareLog>()
  readonly #writtenOff = new Map<Bytes32, WrittenOff>()

  constructor(store: Store) {
    this.#store = store
    this.#table = new Table(store, 'work/')
    this.#ended = new Table(store, 'ended/')
    this.intervals = new IntervalBook(store)
    this.attached = new AttachedTasks(store)
  }

  /** Reads everything back. Returns the shares that were under way when the node was gone. */
  async load(): Promise<readonly WorkRecord[]> {
    await this.intervals.load()
    const underWay: WorkRecord[] = []
    for await (const work of this.#table.all()) {
      if (isWrittenOff(work)) this.#writeOff(work)
      if (isFinal(work.state)) continue
      if (work.receipt === undefined) underWay.push(work)
      this.#unpaid.set(work.id, work)
    }
    this.intervals.forgetAllBut((share) => this.#unpaid.has(share))
    for (const { id } of this.#unpaid.values()) await this.settleIfPaid(id)
    return underWay
  }

  async get(id: Bytes32): Promise<WorkRecord | undefined> {
    return this.#unpaid.get(id) ?? this.#table.get(id)
  }

  /** The share with this id, or whose id starts so when only one does. Throws `AGREEMENT_UNKNOWN`. */
  async find(idOrStart: string): Promise<WorkRecord> {
    const { record, matches } = await this.#table.only(idOrStart)
    if (record === undefined)
      throw new HiveError('AGREEMENT_UNKNOWN', { agreement: idOrStart.slice(0, 80), matches })
    return this.#unpaid.get(record.id) ?? record
  }

  async put(work: WorkRecord): Promise<void> {
    await this.#put(work)
  }

  /** Writes a share and its intervals together. */
  async putWith(work: WorkRecord, edit: IntervalEdit): Promise<void> {
    await this.intervals.holding([work.id], async () =>
      this.#put(work, edit(this.intervals.of(work.id))),
    )
  }

  /** Changes the intervals of a share alone. */
  async changeIntervals(share: Bytes32, edit: IntervalEdit): Promise<void> {
    await this.intervals.holding([share], async () => {
      const { changes, written } = this.intervals.writing(edit(this.intervals.of(share)))
      await this.#store.write(changes)
      written()
    })
  }

  /** Settles a delivered share of which every interval is paid. */
  async settleIfPaid(id: Bytes32): Promise<void> {
    const work = this.#unpaid.get(id)
    if (work?.receipt === undefined || !isMetered(work.ask)) return
    if (this.intervals.due(id).length === 0) await this.put(step(work, 'settle'))
  }

  /** The share that an agreement belongs to: its own, or that of the open interval which it is about. */
  shareOf(agreement: Bytes32): Bytes32 {
    return this.intervals.get(agreement)?.share ?? agreement
  }

  /** What a voucher can pay: a delivered share, or an interval of one. */
  async payable(agreement: Bytes32): Promise<Payable | undefined> {
    const interval = this.intervals.get(agreement)
    if (interval !== undefined) return interval
    const work = await this.get(agreement)
    return work === undefined || isMetered(work.ask) ? undefined : work
  }

  /** Puts on record how a task ended, so that a restart need not run it again; until its share is over. */
  async putEnded(share: Bytes32, result: TaskResult): Promise<void> {
    await this.#ended.put(`${share}/${result.index}`, result)
  }

  /** The tasks of a share under way that have ended, by their numbers. */
  async endedTasks(share: Bytes32): Promise<ReadonlyMap<number, TaskResult>> {
    const ended = new Map<number, TaskResult>()
    for await (const result of this.#ended.all(`${share}/`)) ended.set(result.index, result)
    return ended
  }

  /** Shares that were delivered to a requester and that it said it would not pay. */
  writtenOff(requester: Address): number {
    return this.#writtenOffBy(requester).length
  }

  /** What was owed for those and is not paid still, without shares whose price is `secured` or more. */
  lostTo(requester: Address, secured: Amount): Amount {
    return this.#writtenOffBy(requester).reduce((sum, { id, ask, price, amount }) => {
      if (isMetered(ask)) return sum + this.intervals.leftOf(id)
      return price < secured ? sum + (amount ?? price) : sum
    }, 0n)
  }

  /**
   * Shares and intervals as paid: the changes for the caller's own write, and what to call once they are written,
   * in the same turn as the caller takes over its own new state, so that no share counts twice.
   */
  settlement(paid: readonly Payable[]): PendingWrite {
    const intervals = paid.flatMap((each) => this.intervals.get(each.id) ?? [])
    const works = paid.flatMap((each) => (isWork(each) ? step(each, 'settle') : []))
    const ended = this.intervals.writing(intervals.map((each) => ({ ...each, state: 'paid' })))
    return {
      changes: [...works.map((work) => this.#table.change(work.id, work)), ...ended.changes],
      written: () => {
        ended.written()
        for (const work of works) this.#remember(work)
      },
    }
  }

  /** What can be brought before the contract under an agreement's id. */
  async claim(agreement: Bytes32): Promise<Claim | undefined> {
    const owed = await this.payable(agreement)
    return owed === undefined ? undefined : claimOf(owed)
  }

  /** What was done on a channel and is not paid: shares, and intervals of those by the second. */
  async claims(channel: Bytes32): Promise<readonly Claim[]> {
    const works = (await this.all()).filter(
      ({ ask, state }) => !isMetered(ask) && state !== 'settled',
    )
    return [...works, ...this.intervals.all()]
      .filter((each) => each.channel === channel)
      .map(claimOf)
  }

  /** Everything on record, the newest first. */
  async all(): Promise<WorkRecord[]> {
    const works: WorkRecord[] = []
    for await (const work of this.#table.all()) works.push(work)
    return works.sort((a, b) => b.startedAt - a.startedAt)
  }

  /** Shares under way, and those delivered after a time, Unix ms, and not paid yet. */
  openSince(deliveredAfter: number): number {
    return [...this.#unpaid.values()].filter(
      ({ finishedAt = Infinity }) => finishedAt > deliveredAfter,
    ).length
  }

  /** Shares under way or delivered on a channel, and not paid yet. */
  unpaidOn(channel: Bytes32): readonly WorkRecord[] {
    return [...this.#unpaid.values()].filter((work) => work.channel === channel)
  }

  /** Channels on which something is under way or waits for its money. */
  owingChannels(): ReadonlySet<Bytes32> {
    const due = this.intervals.all().filter(({ state }) => state === 'due')
    return new Set([...this.#unpaid.values(), ...due].map(({ channel }) => channel))
  }

  /** What is agreed or delivered on a channel and not yet paid. */
  owedOn(channel: Bytes32): Amount {
    return [...this.#unpaid.values()]
      .filter((work) => work.channel === channel && !isMetered(work.ask))
      .reduce((sum, work) => sum + (work.amount ?? work.price), this.intervals.owedOn(channel))
  }

  /** What a requester has not paid, without shares whose price is `secured` or more. */
  unpaidBy(requester: Address, secured: Amount): Amount {
    return [...this.#unpaid.values()]
      .filter((work) => work.requester === requester && !isMetered(work.ask))
      .filter(({ price }) => price < secured)
      .reduce((sum, work) => sum + (work.amount ?? work.price), this.intervals.unpaidBy(requester))
  }

  /** The events of a share: as they came while it runs and for a while after, then the last one alone. */
  log(work: WorkRecord): ShareLog {
    const known = this.#logs.get(work.id)
    if (known !== undefined) return known
    const log = new ShareLog(work.restarts)
    const last = lastEventOf(work)
    if (last === undefined) this.#logs.set(work.id, log)
    else log.add(last)
    return log
  }

  async #put(work: WorkRecord, intervals: readonly IntervalRecord[] = []): Promise<void> {
    const isOver = isFinal(work.state) || work.receipt !== undefined
    const ended = isOver ? await this.endedTasks(work.id) : new Map<number, TaskResult>()
    const forgotten = [...ended.keys()].map((index) => this.#ended.removal(`${work.id}/${index}`))
    if (isOver) forgotten.push(this.attached.removal(work.id))
    const { changes, written } = this.intervals.writing(intervals)
    await this.#store.write([this.#table.change(work.id, work), ...changes, ...forgotten])
    if (isWrittenOff(work)) this.#writeOff(work)
    written()
    this.#remember(work)
  }

  #writeOff({ id, requester, ask, price, amount }: WorkRecord): void {
    this.#writtenOff.set(id, { id, requester, ask, price, ...(amount !== undefined && { amount }) })
  }

  #writtenOffBy(requester: Address): readonly WrittenOff[] {
    return [...this.#writtenOff.values()].filter((each) => each.requester === requester)
  }

  #remember(work: WorkRecord): void {
    if (isFinal(work.state)) this.#unpaid.delete(work.id)
    else this.#unpaid.set(work.id, work)
    if (isFinal(work.state)) this.intervals.forget(work.id)
    const last = lastEventOf(work)
    if (last !== undefined) this.#close(work.id, last)
  }

  /** Ends a live log and forgets the oldest that have ended: strangers decide how many there are. */
  #close(id: Bytes32, last: ShareEvent): void {
    this.#logs.get(id)?.add(last)
    const ended = [...this.#logs].filter(([, log]) => log.closed)
    for (const [oldest] of ended.slice(0, -MAX_ENDED_LOGS)) this.#logs.delete(oldest)
  }
}

/** What closes the events of a share; `undefined` while it runs. */
function lastEventOf({
  receipt,
  salt,
  manifest,
  state,
  error,
}: WorkRecord): ShareEvent | undefined {
  if (receipt !== undefined && salt !== undefined && manifest !== undefined)
    return { type: 'receipt', receipt: fromHex(receipt), salt, manifest }
  return isFinal(state) ? { type: 'failed', code: error ?? 'PROVIDER_FAILED' } : undefined
}

/** Delivered, at least in part, then cancelled by a requester that would not pay. */
function isWrittenOff(work: WorkRecord): boolean {
  return work.state === 'cancelled' && (work.receipt !== undefined || work.isUnpaid === true)
}

function claimOf(each: Payable): Claim {
  if (!isWork(each)) return { ...each, finishedAt: each.endedAt ?? 0 }
  return { ...each, finishedAt: each.finishedAt ?? each.finishBy * 1000 }
}

function isWork(each: Payable): each is WorkRecord {
  return 'spec' in each
}
