import { Worker } from 'node:worker_threads'
import { admitModule } from '../module/admit.ts'
import { invalidModule } from '../module/byte-reader.ts'
import type { ModuleForm } from './messages.ts'

/** What the preparing thread is asked, and what it answers; one at a time. */
export interface ToPrepare {
  readonly bytes: Uint8Array
  readonly form: ModuleForm
}
export type Prepared = { readonly bytes: Uint8Array } | { readonly why: string }

/** A module that waits for the thread. */
interface Waiting extends PromiseWithResolvers<Uint8Array> {
  readonly message: ToPrepare
}

/** Heap of the thread, MiB: the edits of the largest function; module bytes lie outside it. */
const HEAP_MIB = 512
/** Up to this size a module that is not rewritten is looked through at once, bytes: that takes a millisecond or two. */
const SMALL_BYTES = 1_048_576
/**
 * How long a module may take, ms. One of 58 MB takes 2.5 s to be rewritten, of the largest size some 25 s; one made of
 * loops alone would take minutes, in which all others wait.
 */
const TIMEOUT_MS = 60_000

/**
 * Admits modules. Rewriting a large one takes seconds, so a thread does it, started when it is first needed, and started
 * anew without a module that takes too long.
 */
export class Preparation {
  readonly #timeoutMs: number
  #worker: Worker | undefined
  #timer: NodeJS.Timeout | undefined
  /** The first of them is under way. */
  readonly #waiting: Waiting[] = []

  constructor({ timeoutMs = TIMEOUT_MS }: { readonly timeoutMs?: number } = {}) {
    this.#timeoutMs = timeoutMs
  }

  /** The module to compile. Throws IMAGE_INVALID. */
  async of(bytes: Uint8Array, form: ModuleForm): Promise<Uint8Array> {
    if (form.mode === 'plain' && bytes.byteLength <= SMALL_BYTES)
      return admitModule(bytes, form.maxPages)
    const waiting = { ...Promise.withResolvers<Uint8Array>(), message: { bytes, form } }
    this.#waiting.push(waiting)
    if (this.#waiting.length === 1) this.#next()
    return await waiting.promise
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer)
    await this.#worker?.terminate()
  }

  #next(): void {
    clearTimeout(this.#timer)
    const [first] = this.#waiting
    if (first === undefined) return
    this.#thread().postMessage(first.message)
    this.#timer = setTimeout(() => {
      this.#giveUp(
        `it takes more than ${this.#timeoutMs / 1000} s to be looked through and rewritten`,
      )
    }, this.#timeoutMs)
  }

  #answer(answer: Prepared): void {
    const first = this.#waiting.shift()
    if ('bytes' in answer) first?.resolve(answer.bytes)
    else first?.reject(invalidModule(answer.why))
    this.#next()
  }

  /** Refuses the module under way, and goes on in another thread. */
  #giveUp(why: string, cause?: unknown): void {
    const worker = this.#worker
    this.#worker = undefined
    void worker?.terminate()
    this.#waiting.shift()?.reject(invalidModule(why, cause))
    this.#next()
  }

  #thread(): Worker {
    if (this.#worker !== undefined) return this.#worker
    const worker = new Worker(new URL('./prepare-worker.ts', import.meta.url), {
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MIB },
      env: {},
      stdin: false,
      stdout: true,
      stderr: true,
    })
    worker.on('message', (answer: Prepared) => {
      if (this.#worker === worker) this.#answer(answer)
    })
    worker.on('error', (cause) => {
      if (this.#worker === worker) this.#giveUp('it is too large to be rewritten', cause)
    })
    this.#worker = worker
    return worker
  }
}
