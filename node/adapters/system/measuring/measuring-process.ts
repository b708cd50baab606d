import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { HiveError } from '../../../domain/errors.ts'
import { MAX_CHALLENGE_BLOCKS } from '../../../domain/challenge.ts'
import type { FromMeasuring, ToMeasuring } from './messages.ts'

/**
 * Without the first compiler, in whose code a loop under way would stay; a small nursery, since
 * nothing is made there.
 */
const NODE_FLAGS = ['--no-liftoff', '--no-warnings', '--max-semi-space-size=1']
/** What the process says when it fails, characters. */
const STDERR_CHARS = 500

/** The measuring process as this one sees it. Disposal ends it at once. */
export class MeasuringProcess implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #gone: Promise<unknown>
  #stderr = ''

  constructor() {
    this.#child = fork(new URL('./main.ts', import.meta.url), [], {
      execArgv: NODE_FLAGS,
      // Nothing of the node's environment; a thread for each block of memory that is filled.
      env: { UV_THREADPOOL_SIZE: String(MAX_CHALLENGE_BLOCKS) },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      serialization: 'advanced',
    })
    this.#gone = once(this.#child, 'exit').catch(() => undefined) // not started: also gone
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(0, STDERR_CHARS)
    })
  }

  /**
   * Answers until one of the given type. Throws BENCHMARK_FAILED when the process ends first, and the
   * signal's reason.
   */
  async *ask(message: ToMeasuring, signal: AbortSignal): AsyncGenerator<FromMeasuring> {
    const heard: FromMeasuring[] = []
    let changed = Promise.withResolvers<void>()
    let isGone = false
    const wake = () => {
      changed.resolve()
    }
    const hear = (answer: FromMeasuring) => {
      heard.push(answer)
      wake()
    }
    this.#child.on('message', hear)
    signal.addEventListener('abort', wake, { once: true })
    void this.#gone.then(() => {
      isGone = true
      wake()
    })
    try {
      if (this.#child.connected) this.#child.send(message, () => {})
      for (;;) {
        const next = heard.shift()
        if (next !== undefined) {
          yield next
          if (next.type !== 'figure') return
          continue
        }
        signal.throwIfAborted()
        if (isGone) throw new HiveError('BENCHMARK_FAILED', { said: this.#stderr.trim() })
        await changed.promise
        changed = Promise.withResolvers()
      }
    } finally {
      this.#child.off('message', hear)
      signal.removeEventListener('abort', wake)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#gone
  }
}
