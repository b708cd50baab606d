import { minute } from '../../domain/units.ts'

/** Keys remembered before those at rest are forgotten; about 2 KiB each at 240 requests a minute. */
const MAX_KEYS = 10_000

/** Counts requests so that no key has more than its limit in any window of one minute. */
export class RequestQuota {
  readonly #times = new Map<string, number[]>()

  /** Counts one request at `now`, Unix ms; false, uncounted, when the limit is reached. */
  take(key: string, limit: number, now: number): boolean {
    const recent = (this.#times.get(key) ?? []).filter((time) => time > now - minute)
    const allowed = recent.length < limit
    if (allowed) recent.push(now)
    // set anew, so that the map's order is that of use and the first key is the oldest
    this.#times.delete(key)
    this.#times.set(key, recent)
    this.#forget()
    return allowed
  }

  #forget(): void {
    if (this.#times.size <= MAX_KEYS) return
    const [oldest] = this.#times.keys()
    if (oldest !== undefined) this.#times.delete(oldest)
  }
}
