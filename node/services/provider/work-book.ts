import type { Bytes32 } from '../../domain/ids.ts'
import { isFinal, step, stepIfAllowed } from '../../domain/job-state.ts'
import type { Amount } from '../../domain/money.ts'
import type { Store, StoreChange } from '../../ports/store.ts'
import { fromHex } from '../../protocol/bytes.ts'
import { Table } from '../table.ts'
import type { WorkRecord } from './records.ts'
import { ShareLog } from './share-log.ts'

/** The one writer of what this node works on, with the live events of each share. */
export class WorkBook {
  readonly #table: Table<WorkRecord>
  readonly #unpaid = new Map<Bytes32, WorkRecord>()
  readonly #logs = new Map<Bytes32, ShareLog>()

  constructor(store: Store) {
    this.#table = new Table(store, 'work/')
  }

  /**
   * After a start: shares that were running when the node stopped are honestly failed; nothing is
   * owed for them and their requesters hear it when they ask. Returns how many.
   */
  async load(): Promise<number> {
    let interrupted = 0
    for await (const work of this.#table.all()) {
      if (isFinal(work.state)) continue
      if (work.receipt === undefined) {
        await this.put({ ...stepIfAllowed(work, 'fail'), error: 'INTERRUPTED' })
        interrupted++
      } else this.#unpaid.set(work.id, work)
    }
    return interrupted
  }

  async get(id: Bytes32): Promise<WorkRecord | undefined> {
    return this.#unpaid.get(id) ?? this.#table.get(id)
  }

  async put(work: WorkRecord): Promise<void> {
    await this.#table.put(work.id, work)
    this.#remember(work)
  }

  /** Marks shares as paid; `commit` writes the changes together with its own. */
  async settle(
    works: readonly WorkRecord[],
    commit: (changes: readonly StoreChange[]) => Promise<void>,
  ): Promise<void> {
    const settled = works.map((work) => step(work, 'settle'))
    await commit(settled.map((work) => this.#table.change(work.id, work)))
    for (const work of settled) {
      this.#remember(work)
      this.#logs.delete(work.id)
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

  /** The events of a share: live while it runs, rebuilt from the record afterwards. */
  log(work: WorkRecord): ShareLog {
    const known = this.#logs.get(work.id)
    if (known !== undefined) return known
    const log = new ShareLog()
    if (work.receipt !== undefined && work.salt !== undefined && work.manifest !== undefined) {
      log.add({
        type: 'receipt',
        receipt: fromHex(work.receipt),
        salt: work.salt,
        manifest: work.manifest,
      })
    } else if (isFinal(work.state)) {
      log.add({ type: 'failed', code: work.error ?? 'PROVIDER_FAILED' })
    }
    this.#logs.set(work.id, log)
    return log
  }

  #remember(work: WorkRecord): void {
    if (isFinal(work.state)) this.#unpaid.delete(work.id)
    else this.#unpaid.set(work.id, work)
  }
}
