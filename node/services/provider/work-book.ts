import type { Address, Bytes32 } from '../../domain/ids.ts'
import { isFinal, step } from '../../domain/job-state.ts'
import type { Amount } from '../../domain/money.ts'
import type { TaskResult } from '../../domain/receipt.ts'
import type { Store, StoreChange } from '../../ports/store.ts'
import { fromHex } from '../../protocol/bytes.ts'
import type { ShareEvent } from '../../protocol/share-events.ts'
import { KeyedLock } from '../keyed-lock.ts'
import { Table } from '../table.ts'
import type { WorkRecord } from './records.ts'
import { ShareLog } from './share-log.ts'

/** Logs kept of shares that have ended, for followers whose line broke; each holds up to 16 MiB. */
const MAX_ENDED_LOGS = 8

/** The one writer of what this node works on, with the live events of each share. */
export class WorkBook {
  readonly #table: Table<WorkRecord>
  readonly #ended: Table<TaskResult>
  readonly #attached: Table<{ readonly tasks: readonly number[] }>
  readonly #attaching = new KeyedLock()
  readonly #store: Store
  readonly #unpaid = new Map<Bytes32, WorkRecord>()
  readonly #logs = new Map<Bytes32, ShareLog>()
  readonly #writtenOff = new Map<Address, number>()

  constructor(store: Store) {
    this.#store = store
    this.#table = new Table(store, 'work/')
    this.#ended = new Table(store, 'ended/')
    this.#attached = new Table(store, 'attached/')
  }

  /** Reads everything back. Returns the shares that were under way when the node was gone. */
  async load(): Promise<readonly WorkRecord[]> {
    const underWay: WorkRecord[] = []
    for await (const work of this.#table.all()) {
      if (isWrittenOff(work)) this.#countWrittenOff(work.requester)
      if (isFinal(work.state)) continue
      if (work.receipt === undefined) underWay.push(work)
      this.#unpaid.set(work.id, work)
    }
    return underWay
  }

  async get(id: Bytes32): Promise<WorkRecord | undefined> {
    return this.#unpaid.get(id) ?? this.#table.get(id)
  }

  async put(work: WorkRecord): Promise<void> {
    const isOver = isFinal(work.state) || work.receipt !== undefined
    const ended = isOver ? await this.endedTasks(work.id) : new Map<number, TaskResult>()
    const forgotten = [...ended.keys()].map((index) => this.#ended.removal(`${work.id}/${index}`))
    if (isOver) forgotten.push(this.#attached.removal(work.id))
    await this.#store.write([this.#table.change(work.id, work), ...forgotten])
    if (isWrittenOff(work)) this.#countWrittenOff(work.requester)
    this.#remember(work)
  }

  /** Puts on record how a task ended, so that a restart need not run it again; until its share is over. */
  async putEnded(share: Bytes32, result: TaskResult): Promise<void> {
    await this.#ended.put(`${share}/${result.index}`, result)
  }

  /** Puts on record that somebody gets inside a task, before it happens. */
  async putAttached(share: Bytes32, index: number): Promise<void> {
    await this.#attaching.run(share, async () => {
      const { tasks = [] } = (await this.#attached.get(share)) ?? {}
      if (!tasks.includes(index)) await this.#attached.put(share, { tasks: [...tasks, index] })
    })
  }

  /** Whether somebody has been inside a task of a share under way. */
  async wasAttached(share: Bytes32, index: number): Promise<boolean> {
    return (await this.#attached.get(share))?.tasks.includes(index) === true
  }

  /** The tasks of a share under way that have ended, by their numbers. */
  async endedTasks(share: Bytes32): Promise<ReadonlyMap<number, TaskResult>> {
    const ended = new Map<number, TaskResult>()
    for await (const result of this.#ended.all(`${share}/`)) ended.set(result.index, result)
    return ended
  }

  /** Shares that were delivered to a requester and that it said it would not pay. */
  writtenOff(requester: Address): number {
    return this.#writtenOff.get(requester) ?? 0
  }

  /**
   * Shares as paid: the changes for the caller's own write, and what to call once they are written,
   * in the same turn as the caller takes over its own new state, so that no share counts twice.
   */
  settlement(works: readonly WorkRecord[]): {
    readonly changes: readonly StoreChange[]
    readonly written: () => void
  } {
    const settled = works.map((work) => step(work, 'settle'))
    return {
      changes: settled.map((work) => this.#table.change(work.id, work)),
      written: () => {
        for (const work of settled) this.#remember(work)
      },
    }
  }

  /** Everything on record, the newest first. */
  async all(): Promise<WorkRecord[]> {
    const works: WorkRecord[] = []
    for await (const work of this.#table.all()) works.push(work)
    return works.sort((a, b) => b.startedAt - a.startedAt)
  }

  /** What is agreed or delivered on a channel and not yet paid. */
  owedOn(channel: Bytes32): Amount {
    return [...this.#unpaid.values()]
      .filter((work) => work.channel === channel)
      .reduce((sum, work) => sum + (work.amount ?? work.price), 0n)
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

  #countWrittenOff(requester: Address): void {
    this.#writtenOff.set(requester, this.writtenOff(requester) + 1)
  }

  #remember(work: WorkRecord): void {
    if (isFinal(work.state)) this.#unpaid.delete(work.id)
    else this.#unpaid.set(work.id, work)
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

/** Delivered, then cancelled by a requester that would not pay. */
function isWrittenOff(work: WorkRecord): boolean {
  return work.state === 'cancelled' && work.receipt !== undefined
}
