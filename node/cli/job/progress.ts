import type { JobEventBody, JobSummary } from '../../api/schemas/jobs.ts'
import { formatAmount } from '../../domain/money.ts'
import { formatDuration } from '../../domain/units.ts'
import type { Output } from '../parts.ts'
import { print, printLine } from '../output/printing.ts'
import type { Style } from '../output/style.ts'

/** Without a terminal, an array says how far it is this often. */
const STEPS = 10
const CLEAR_LINE = '\r\u001B[2K'

export interface ProgressParts {
  readonly output: Output
  readonly style: Style
  /** Unix ms. */
  readonly now: () => number
}

/** Says on standard error how a job is doing: one line that is redrawn, or a line at each step. */
export class Progress {
  readonly #parts: ProgressParts
  readonly #startedAt: number
  readonly #promised = new Map<string, bigint>()
  readonly #providers = new Set<string>()
  readonly #ended = new Set<number>()
  /** What running tasks say of themselves, percent. */
  readonly #reached = new Map<number, number>()
  #last = ''
  #drawn = false

  constructor(parts: ProgressParts) {
    this.#parts = parts
    this.#startedAt = parts.now()
  }

  /** Takes an event and shows what it changed. */
  async take(event: JobEventBody, job: JobSummary): Promise<void> {
    if (event.type === 'log') return
    if (event.type === 'task') {
      this.#reached.delete(event.index)
      if (event.result !== undefined) this.#ended.add(event.index)
    }
    if (event.type === 'progress') this.#reached.set(event.index, event.percent)
    if (event.type === 'share') {
      const { id, provider, amount } = event.share
      this.#providers.add(provider)
      if (amount !== undefined) this.#promised.set(id, BigInt(amount))
    }
    await this.#show(job)
  }

  /** Takes the redrawn line away, so that something else can be printed. */
  async clear(): Promise<void> {
    if (this.#drawn) await print(this.#parts.output, CLEAR_LINE)
    this.#drawn = false
  }

  async #show(job: JobSummary): Promise<void> {
    const { output, style } = this.#parts
    const done = Math.max(job.done, this.#ended.size)
    const line = this.#line(job, done)
    if (output.isTTY === true) {
      await print(output, `${CLEAR_LINE}${style.dim(line.slice(0, (output.columns ?? 80) - 1))}`)
      this.#drawn = true
      return
    }
    const step = `${job.state} ${Math.floor((this.#percent(job, done) * STEPS) / 100)}`
    if (step === this.#last) return
    this.#last = step
    await printLine(output, `hive: ${line}`)
  }

  /** Of the whole job: what has ended, and what running tasks have reached. */
  #percent(job: JobSummary, done: number): number {
    const running = [...this.#reached.values()].reduce((sum, each) => sum + each, 0)
    return Math.min(100, Math.floor((done * 100 + running) / job.tasks))
  }

  #line(job: JobSummary, done: number): string {
    const promised = [...this.#promised.values()].reduce((sum, each) => sum + each, 0n)
    const providers = this.#providers.size
    const isTold = this.#reached.size > 0
    return [
      `${job.id.slice(0, 10)} ${job.state}`,
      `${done}/${job.tasks} ${job.tasks === 1 ? 'task' : 'tasks'}`,
      ...(isTold ? [`${this.#percent(job, done)} %`] : []),
      ...(providers > 0 ? [`${providers} ${providers === 1 ? 'provider' : 'providers'}`] : []),
      ...(promised > 0n ? [`${formatAmount(promised)} tokens`] : []),
      formatDuration(this.#parts.now() - this.#startedAt),
    ].join(' · ')
  }
}
