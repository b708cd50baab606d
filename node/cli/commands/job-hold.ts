import { codeOf } from '../../domain/errors.ts'
import type { NodeClient } from '../node-client.ts'
import { printLine } from '../output/printing.ts'
import type { CliParts } from '../parts.ts'

/**
 * What an interrupt means for a job in the foreground: the first one cancels it and waits for its
 * end, the second one lets go of it. Before there is a job, the first one is enough.
 */
export class JobHold implements Disposable {
  readonly #parts: CliParts
  readonly #client: NodeClient
  readonly #letGo = new AbortController()
  readonly #forget: () => void
  #path: string | undefined
  #cancelling: Promise<void> | undefined

  constructor(parts: CliParts, client: NodeClient) {
    this.#parts = parts
    this.#client = client
    this.#forget = parts.onInterrupt(() => this.#interrupt())
  }

  /** Aborts when the user has let go. */
  get signal(): AbortSignal {
    return this.#letGo.signal
  }

  /** There is something to cancel now, at this path of the API. */
  take(path: string): void {
    this.#path = path
  }

  [Symbol.dispose](): void {
    this.#forget()
  }

  #interrupt(): void {
    if (this.#path === undefined || this.#cancelling !== undefined) this.#letGo.abort()
    else this.#cancelling = this.#cancel(this.#path)
  }

  async #cancel(path: string): Promise<void> {
    try {
      await printLine(this.#parts.stderr, 'hive: cancelling; interrupt again to leave at once')
      await this.#client.post(`${path}/cancel`, undefined, { signal: this.#letGo.signal })
    } catch (error) {
      // The user does not wait for the end.
      if (this.#letGo.signal.aborted) return
      // Nobody awaits this: what happened is said here, and there is nothing left to wait for.
      await printLine(this.#parts.stderr, `hive: not cancelled: ${codeOf(error)}`)
      this.#letGo.abort()
    }
  }
}
