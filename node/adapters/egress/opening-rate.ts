/** Connections that a job may open at once. */
const BURST = 64
/** And then in every second: enough for a program that fetches many small files, too few to attack anyone with. */
const PER_SECOND = 16

/** How many connections a job may open in a time. */
export class OpeningRate {
  #left = BURST
  #at: number

  /** `now` in ms. */
  constructor(now: number) {
    this.#at = now
  }

  /** Whether one more may be opened at `now`, ms. */
  take(now: number): boolean {
    this.#left = Math.min(BURST, this.#left + ((now - this.#at) / 1000) * PER_SECOND)
    this.#at = now
    if (this.#left < 1) return false
    this.#left--
    return true
  }
}
