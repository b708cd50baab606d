import { Worker } from 'node:worker_threads'
import { admitModule } from '../module/admit.ts'
import { invalidModule } from '../module/byte-reader.ts'
import type { ModuleForm } from './messages.ts'

/** What the preparing thread is asked, and what it answers; in order, so that neither needs a number. */
export interface ToPrepare {
  readonly bytes: Uint8Array
  readonly form: ModuleForm
}
export type Prepared = { readonly bytes: Uint8Array } | { readonly why: string }

/** Heap of the thread, MiB: the edits of the largest function; module bytes lie outside it. */
const HEAP_MIB = 512

/** Admits modules. Rewriting a large one takes seconds, so a thread does it, started when it is first needed. */
export class Preparation {
  #worker: Worker | undefined
  readonly #waiting: PromiseWithResolvers<Uint8Array>[] = []

  /** The module to compile. Throws IMAGE_INVALID. */
  async of(bytes: Uint8Array, form: ModuleForm): Promise<Uint8Array> {
    if (form.mode === 'plain') return admitModule(bytes, form.maxPages)
    const prepared = Promise.withResolvers<Uint8Array>()
    const message: ToPrepare = { bytes, form }
    this.#thread().postMessage(message)
    this.#waiting.push(prepared)
    return await prepared.promise
  }

  async close(): Promise<void> {
    await this.#worker?.terminate()
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
      const prepared = this.#waiting.shift()
      if ('bytes' in answer) prepared?.resolve(answer.bytes)
      else prepared?.reject(invalidModule(answer.why))
    })
    worker.on('error', (cause) => {
      this.#worker = undefined
      // Which of them it was at when its heap was full is not known.
      for (const prepared of this.#waiting.splice(0))
        prepared.reject(invalidModule('it is too large to be rewritten', cause))
    })
    this.#worker = worker
    return worker
  }
}
