/** How a job under way is told to end before its time. */
export interface JobEnds {
  /** Aborts when it is to end with what it has so far: nothing more is placed, and its shares are stopped. */
  readonly stopped: AbortSignal
  /** Aborts when its shares are given up, or the node stops. */
  readonly signal: AbortSignal
}

/** Aborts as soon as either does. */
export function eitherEnd({ stopped, signal }: JobEnds): AbortSignal {
  return AbortSignal.any([signal, stopped])
}
