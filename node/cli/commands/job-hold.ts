import { codeOf } from '../../domain/errors.ts'
import type { NodeClient } from '../node-client.ts'
import { printLine } from '../output/printing.ts'
import type { CliParts } from '../parts.ts'

/**
 * What an interrupt means for a job in the foreground: the first one cancels it, or has a service stop with what it has,
 * and waits for its end; the second one lets go of it. Before there is a job, the first one is enough.
 */
export class JobHold implements Disposable {
  readonly #parts: CliParts
  readonly #client: NodeClient
  readonly #letGo = new AbortController()
  readonly #forget: () => void
  #path: string | undefined
  #end: 'cancel' | 'stop' = 'cancel'
  #ending: Promise<void> | undefined

  constructor(parts: CliParts, client: NodeClient) {
    this.#parts = parts
    this.#client = client
    this.#forget = parts.onInterrupt(() => this.#interrupt())
  }

  /** Aborts when the user has let go. */
  get signal(): AbortSignal {
    return this.#letGo.signal
  }

  /** There is something to end now, at this path of the API. */
  take(path: string, end: 'cancel' | 'stop' = 'cancel'): void {
    this.#path = path
    this.#end = end
  }

  [Symbol.dispose](): void {
    this.#forget()
  }

  #interrupt(): void {
    if (this.#path === undefined || this.#ending !== undefined) this.#letGo.abort()
    else this.#ending = this.#endIt(this.#path)
  }

  async #endIt(path: string): Promise<void> {
    try {
      const doing = this.#end === 'stop' ? 'stopping' : 'cancelling'
      await printLine(this.#parts.stderr, `hive: ${doing}; interrupt again to leave at once`)
      const { signal } = this.#letGo
      await this.#client.post(`${path}/${this.#end}`, undefined, { signal })
    } catch (error) {
      // The user does not wait for the end.
      if (this.#letGo.signal.aborted) return
      // Nobody awaits this: what happened is said here, and there is nothing left to wait for.
      const done = this.#end === 'stop' ? 'stopped' : 'cancelled'
      await printLine(this.#parts.stderr, `hive: not ${done}: ${codeOf(error)}`)
      this.#letGo.abort()
    }
  }
}
