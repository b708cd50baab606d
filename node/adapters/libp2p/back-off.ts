import { minute, second } from '../../domain/units.ts'

/** Pause after the first failure, ms; it doubles with each further one. */
const FIRST_PAUSE_MS = 1 * second
/** Longest pause, ms. Trying never ends: a network that was parted must find together again. */
const MAX_PAUSE_MS = 1 * minute
/** Names remembered; failures of the oldest are forgotten beyond it. */
const MAX_NAMES = 1000

/** When to try again what failed before, by name. */
export class BackOff {
  readonly #failures = new Map<string, { readonly count: number; readonly until: number }>()

  /** Unix ms from when `name` may be tried. */
  dueAt(name: string): number {
    return this.#failures.get(name)?.until ?? 0
  }

  failed(name: string, now: number): void {
    const count = (this.#failures.get(name)?.count ?? 0) + 1
    const pause = Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(count - 1, 16))
    this.#failures.delete(name)
    this.#failures.set(name, { count, until: now + pause })
    const [oldest] = this.#failures.keys()
    if (this.#failures.size > MAX_NAMES && oldest !== undefined) this.#failures.delete(oldest)
  }

  succeeded(name: string): void {
    this.#failures.delete(name)
  }
}
