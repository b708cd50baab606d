import type { Address, Bytes32 } from '../../domain/ids.ts'
import type { TaskResult } from '../../domain/receipt.ts'
import { MiB } from '../../domain/units.ts'
import type { Clock } from '../../ports/clock.ts'
import type { OutputStream } from '../../ports/sandbox.ts'
import type { JobBook } from './job-book.ts'
import { KeptOutput } from './kept-output.ts'
import type { ShareRecord } from './records.ts'

/** Most output that is kept of all running tasks together, bytes; that of the quietest goes first. */
export const MAX_LIVE_OUTPUT_BYTES: number = 64 * MiB
/** Runs of one task in one share that are told apart: its provider may begin it anew as often as it wants to. */
const MAX_LIVE_RUNS = 4

/** A run of a task in its provider's words, not verified. */
export interface LiveRun {
  /** No other run of the task has it. */
  readonly key: string
  readonly task: number
  readonly provider: Address
  /** Counts the runs that the job allows. */
  readonly attempt: number
  /** When its beginning was heard, Unix ms. */
  readonly startedAt: number
  readonly output: KeptOutput
  /** How far it says that it is, 0 to 100. */
  percent?: number
  /** Its provider has said how it ended. */
  isOver?: true
}

/**
 * What the tasks under way have told so far, for those who begin to watch later. In memory only: after a restart of this
 * node their providers tell it again.
 */
export class LiveTasks {
  readonly #clock: Clock
  readonly #updates: JobBook['updates']
  /** By job and task. */
  readonly #runs = new Map<Bytes32, Map<number, LiveRun[]>>()
  /** Those that have printed, the quietest first. */
  readonly #printing = new Set<KeptOutput>()
  #begun = 0
  #bytes = 0

  constructor(parts: { readonly clock: Clock; readonly book: Pick<JobBook, 'updates'> }) {
    this.#clock = parts.clock
    this.#updates = parts.book.updates
  }

  /** Runs of a task that are under way, and those before them in the same share. */
  of(job: Bytes32, task: number): readonly LiveRun[] {
    return this.#runs.get(job)?.get(task) ?? []
  }

  /** Of each task of a job that runs now: its run. */
  running(job: Bytes32): readonly LiveRun[] {
    const last = [...(this.#runs.get(job)?.values() ?? [])].flatMap((runs) => runs.at(-1) ?? [])
    return last.filter(({ isOver }) => isOver !== true).sort((a, b) => a.task - b.task)
  }

  /** All runs of a share. */
  ofShare({ job, id, tasks }: ShareRecord): readonly LiveRun[] {
    return tasks.flatMap((task) => this.of(job, task).filter(({ key }) => key.startsWith(id)))
  }

  /** Forgets a share's runs: they are over, or will be told from the start. */
  forget(share: ShareRecord): void {
    const { job, tasks } = share
    const known = this.#runs.get(job)
    for (const run of this.ofShare(share)) this.#drop(run)
    for (const task of tasks) {
      const others = this.of(job, task).filter(({ key }) => !key.startsWith(share.id))
      if (others.length === 0) known?.delete(task)
      else known?.set(task, others)
    }
    if (known?.size === 0) this.#runs.delete(job)
  }

  /** A task has started; one that is not resumed prints from its beginning. */
  began(share: ShareRecord, task: number, isResumed: boolean): void {
    if (!share.tasks.includes(task)) return
    if (!isResumed || this.#current(share, task) === undefined) this.#begin(share, task)
    const { job, provider } = share
    this.#updates.publish({ type: 'task', job, index: task, provider })
  }

  /** A task has ended, in its provider's words. */
  ended(share: ShareRecord, result: TaskResult): void {
    const { index } = result
    if (!share.tasks.includes(index)) return
    const run = this.#current(share, index)
    if (run !== undefined) run.isOver = true
    const { job, provider } = share
    this.#updates.publish({ type: 'task', job, index, provider, result })
  }

  reached(share: ShareRecord, task: number, percent: number): void {
    if (!share.tasks.includes(task)) return
    ;(this.#current(share, task) ?? this.#begin(share, task)).percent = percent
    this.#updates.publish({ type: 'progress', job: share.job, index: task, percent })
  }

  printed(share: ShareRecord, task: number, stream: OutputStream, bytes: Uint8Array): void {
    if (!share.tasks.includes(task) || bytes.byteLength === 0) return
    const { output } = this.#current(share, task) ?? this.#begin(share, task)
    const before = output.bytes
    const at = output.add(stream, bytes)
    this.#bytes += output.bytes - before
    this.#printing.delete(output)
    this.#printing.add(output)
    for (const quietest of this.#printing) {
      while (this.#bytes > MAX_LIVE_OUTPUT_BYTES && quietest.bytes > 0)
        this.#bytes -= quietest.dropFirst()
      if (this.#bytes <= MAX_LIVE_OUTPUT_BYTES) break
    }
    this.#updates.publish({ type: 'log', job: share.job, index: task, stream, at, bytes })
  }

  #current({ job, id }: ShareRecord, task: number): LiveRun | undefined {
    return this.of(job, task).findLast(({ key }) => key.startsWith(id))
  }

  #begin({ job, id, provider, attempt }: ShareRecord, task: number): LiveRun {
    const tasks = this.#runs.get(job) ?? new Map<number, LiveRun[]>()
    this.#runs.set(job, tasks)
    const key = `${id}/${(this.#begun += 1)}`
    const startedAt = this.#clock.now()
    const run = { key, task, provider, attempt, startedAt, output: new KeptOutput() }
    // one that has printed nothing is not worth telling apart
    const before = (tasks.get(task) ?? []).filter(({ output }) => output.bytes > 0)
    for (const old of before.slice(0, 1 - MAX_LIVE_RUNS)) this.#drop(old)
    tasks.set(task, [...before.slice(1 - MAX_LIVE_RUNS), run])
    return run
  }

  #drop({ output }: LiveRun): void {
    this.#bytes -= output.bytes
    this.#printing.delete(output)
  }
}
