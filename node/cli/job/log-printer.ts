import type { JobEventBody } from '../../api/schemas/jobs.ts'
import { short } from '../../domain/ids.ts'
import { formatBytes } from '../../domain/units.ts'
import { jobOutput } from '../output/job-output.ts'
import { plain } from '../output/plain-text.ts'
import { print, printLine } from '../output/printing.ts'
import type { Output } from '../parts.ts'

type Log = Extract<JobEventBody, { type: 'log' }>
type Run = Extract<JobEventBody, { type: 'run' }>

/** Prints what tasks printed, and on standard error whose run it is and what is missing of it. */
export class LogPrinter {
  readonly #streams: Readonly<Record<number, Output>>
  readonly #notes: Output
  /** Where the next piece of a task's stream begins. */
  readonly #next = new Map<string, number>()

  constructor(stdout: Output, stderr: Output) {
    this.#streams = { 1: jobOutput(stdout), 2: jobOutput(stderr) }
    this.#notes = stderr
  }

  async take(event: JobEventBody): Promise<void> {
    if (event.type === 'run') await this.#run(event)
    if (event.type === 'log') await this.#log(event)
  }

  async #run({ index, attempt = 1, provider = '', end, verified }: Run): Promise<void> {
    for (const stream of [1, 2]) this.#next.delete(`${index}/${stream}`)
    const who = `hive: task ${index}`
    if (verified === true)
      await printLine(
        this.#notes,
        `${who}: the output above is not that of its result; the verified one follows`,
      )
    else if (end !== undefined || attempt > 1)
      await printLine(
        this.#notes,
        `${who}: ${end === undefined ? 'begins anew' : plain(end)}, attempt ${attempt} at ${short(provider)}`,
      )
  }

  async #log({ index, stream, at, data }: Log): Promise<void> {
    const bytes = Buffer.from(data, 'base64')
    const key = `${index}/${stream}`
    const missing = at - (this.#next.get(key) ?? 0)
    this.#next.set(key, at + bytes.byteLength)
    const name = stream === 1 ? 'stdout' : 'stderr'
    if (missing > 0)
      await printLine(
        this.#notes,
        `hive: task ${index}: ${formatBytes(missing)} of ${name} before this are not kept here`,
      )
    const output = this.#streams[stream]
    if (output !== undefined) await print(output, bytes)
  }
}
