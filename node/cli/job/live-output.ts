import { createHash } from 'node:crypto'
import type { JobEventBody, TaskResultBody } from '../../api/schemas/jobs.ts'
import { jobOutput } from '../output/job-output.ts'
import { print, printLine } from '../output/printing.ts'
import type { Output } from '../parts.ts'

type Log = Extract<JobEventBody, { type: 'log' }>

/**
 * Hands a single task's output through as it comes, so that what arrives in the end is exactly the
 * verified output: a second attempt continues where the first one stopped, and what the stream
 * missed is added from the result.
 */
export class LiveOutput {
  readonly #streams: Readonly<Record<number, Printed>>
  readonly #notes: Output

  constructor(stdout: Output, stderr: Output) {
    this.#streams = { 1: new Printed(jobOutput(stdout)), 2: new Printed(jobOutput(stderr)) }
    this.#notes = stderr
  }

  /** A task has started, for the first time or again elsewhere: its output begins anew. */
  restart(): void {
    for (const stream of Object.values(this.#streams)) stream.restart()
  }

  async take({ stream, data }: Log): Promise<void> {
    await this.#streams[stream]?.take(Buffer.from(data, 'base64'))
  }

  /** Completes both streams from the result. */
  async finish(
    result: TaskResultBody,
    download: (cid: string) => Promise<Uint8Array>,
  ): Promise<void> {
    for (const [stream, file] of [
      [1, result.stdout],
      [2, result.stderr],
    ] as const) {
      const printed = this.#streams[stream]
      const bytes = file.size === 0 ? new Uint8Array() : await download(file.cid)
      if ((await printed?.finish(bytes)) === false)
        await printLine(
          this.#notes,
          `hive: ${stream === 1 ? 'stdout' : 'stderr'} above came from an attempt that was not accepted; the verified output follows`,
        ).then(async () => printed?.replace(bytes))
    }
  }
}

/** One stream: how far this attempt has come, and what has been printed. */
class Printed {
  readonly #output: Output
  readonly #hash = createHash('sha256')
  #printed = 0
  #position = 0

  constructor(output: Output) {
    this.#output = output
  }

  restart(): void {
    this.#position = 0
  }

  async take(bytes: Uint8Array): Promise<void> {
    const known = Math.max(0, Math.min(bytes.byteLength, this.#printed - this.#position))
    this.#position += bytes.byteLength
    await this.#print(bytes.subarray(known))
  }

  /** False when what was printed is not how the verified output begins. */
  async finish(bytes: Uint8Array): Promise<boolean> {
    const begun = createHash('sha256').update(bytes.subarray(0, this.#printed)).digest('hex')
    const same = this.#printed <= bytes.byteLength && begun === this.#hash.copy().digest('hex')
    if (same) await this.#print(bytes.subarray(this.#printed))
    return same
  }

  async replace(bytes: Uint8Array): Promise<void> {
    await this.#print(bytes)
  }

  async #print(bytes: Uint8Array): Promise<void> {
    if (bytes.byteLength === 0) return
    this.#hash.update(bytes)
    this.#printed += bytes.byteLength
    await print(this.#output, bytes)
  }
}
