import { createHash, type Hash } from 'node:crypto'
import type { OutputFile, TaskResult } from '../domain/receipt.ts'
import { MAX_OUTPUT_BYTES } from '../protocol/limits.ts'
import type { Blobs } from '../ports/blobs.ts'
import type { OutputStream } from '../ports/sandbox.ts'
import type { FailedRun, JobRecord } from '../services/requester/records.ts'
import type { LiveRun, LiveTasks } from '../services/requester/live-tasks.ts'
import { logEvents } from './log-events.ts'
import type { JobEventBody } from './schemas/jobs.ts'

const STREAMS = [1, 2] as const

export interface TaskLogParts {
  readonly blobs: Blobs
  readonly live: LiveTasks
}

/** One stream of a run as far as it was sent. */
interface Sent {
  /** Where the part begins that was sent without a gap, and its hash. */
  from: number
  hash: Hash
  /** Where it ends. */
  to: number
}

/** The output of one task on its way to one reader: each byte of each run once. */
export class TaskLog {
  readonly #parts: TaskLogParts
  readonly #task: number
  readonly #allRuns: boolean
  readonly #sent = new Map<string, Readonly<Record<OutputStream, Sent>>>()
  /** The run that was sent last. */
  #last: string | undefined
  #isComplete = false

  /** `allRuns`: also those without a result, of a task that has one. */
  constructor(parts: TaskLogParts, task: number, allRuns: boolean) {
    this.#parts = parts
    this.#task = task
    this.#allRuns = allRuns
  }

  /** What there is by now and was not sent. */
  async *rest(job: JobRecord, signal: AbortSignal): AsyncGenerator<JobEventBody> {
    if (this.#isComplete) return
    const result = job.results[this.#task] ?? undefined
    const failed = (job.failedRuns ?? []).filter(({ task }) => task === this.#task)
    if (result === undefined || this.#allRuns) {
      for (const run of failed) yield* this.#failedRun(run, signal)
      for (const run of this.#parts.live.of(job.id, this.#task)) yield* this.#liveRun(run)
    }
    if (result === undefined) return
    this.#isComplete = true
    yield* this.#result(result, failed, signal)
  }

  *#liveRun(run: LiveRun): Generator<JobEventBody> {
    const sent = yield* this.#begin(run)
    const offsets = { 1: sent[1].to, 2: sent[2].to }
    for (const { stream, at, bytes } of run.output.after(offsets))
      yield* this.#pieces(sent[stream], stream, at, bytes)
  }

  async *#failedRun(run: FailedRun, signal: AbortSignal): AsyncGenerator<JobEventBody> {
    const sent = yield* this.#begin(run)
    for (const stream of STREAMS) {
      const tail = stream === 1 ? run.stdout : run.stderr
      if (tail === undefined || tail.from + tail.size <= sent[stream].to) continue
      const bytes = await this.#bytes(tail, signal)
      const known = Math.max(0, sent[stream].to - tail.from)
      yield* this.#pieces(sent[stream], stream, tail.from + known, bytes.subarray(known))
    }
  }

  /** What is missing of a result; all of it where what was sent does not belong to it. */
  async *#result(
    result: TaskResult,
    failed: readonly FailedRun[],
    signal: AbortSignal,
  ): AsyncGenerator<JobEventBody> {
    const streams = new Map<OutputStream, Uint8Array>()
    for (const stream of STREAMS)
      streams.set(stream, await this.#bytes(stream === 1 ? result.stdout : result.stderr, signal))
    const sent = this.#sent.get(this.#last ?? '')
    const isFailed = failed.some(({ key }) => key === this.#last)
    const fits = [...streams].every(([stream, bytes]) => {
      if (sent === undefined) return true
      const { from, to, hash } = sent[stream]
      // a run of which everything is in the result is that of the result, whatever became of its share
      if (to > bytes.byteLength || (isFailed && to < bytes.byteLength)) return false
      const same = createHash('sha256').update(bytes.subarray(from, to)).digest()
      return same.equals(hash.copy().digest())
    })
    if (!fits) yield { type: 'run', index: this.#task, verified: true }
    for (const [stream, bytes] of streams) {
      const from = fits ? (sent?.[stream].to ?? 0) : 0
      const rest = { from, to: from, hash: createHash('sha256') }
      yield* this.#pieces(rest, stream, from, bytes.subarray(from))
    }
  }

  /** Says which run it is whose output follows, where it is another one than before. */
  *#begin(run: LiveRun | FailedRun): Generator<JobEventBody, Readonly<Record<OutputStream, Sent>>> {
    const { key, attempt, provider } = run
    const known = this.#sent.get(key)
    if (known !== undefined) return known
    const sent = { 1: nothing(0), 2: nothing(0) }
    this.#sent.set(key, sent)
    this.#last = key
    const end = 'end' in run ? { end: run.end } : {}
    yield { type: 'run', index: this.#task, attempt, provider, ...end }
    return sent
  }

  *#pieces(
    sent: Sent,
    stream: OutputStream,
    at: number,
    bytes: Uint8Array,
  ): Generator<JobEventBody> {
    if (at > sent.to) Object.assign(sent, nothing(at))
    sent.hash.update(bytes)
    sent.to += bytes.byteLength
    yield* logEvents(this.#task, stream, at, bytes)
  }

  async #bytes({ cid, size }: Pick<OutputFile, 'cid' | 'size'>, signal: AbortSignal) {
    if (size === 0) return new Uint8Array()
    return this.#parts.blobs.get(cid, { maxBytes: MAX_OUTPUT_BYTES, signal })
  }
}

function nothing(at: number): Sent {
  return { from: at, to: at, hash: createHash('sha256') }
}
