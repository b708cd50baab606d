/** Time, so that rules and timers can be tested without waiting. */
export interface Clock {
  /** Unix ms. */
  now(): number
  /** Resolves after `ms`; rejects with the signal's reason as soon as it aborts, and leaves no timer behind. */
  sleep(ms: number, signal: AbortSignal): Promise<void>
}
