import { second } from '../../domain/units.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Requests } from '../../ports/requests.ts'
import { shareRequest } from '../../protocol/requests.ts'
import { TasksInFlight } from '../tasks-in-flight.ts'
import type { ShareRecord } from './records.ts'

export interface ShareStopParts {
  readonly clock: Clock
  readonly requests: Requests
}

/** How often a provider is told to stop, ms: it may have restarted since the last time. */
const STOP_RETRY_MS: number = 2 * second

/**
 * Tells a provider to end a share with what it has, until the signal aborts: a line may be cut now, or a provider just be
 * starting again.
 */
export async function keepStopping(
  { clock, requests }: ShareStopParts,
  { id, peer }: ShareRecord,
  signal: AbortSignal,
): Promise<void> {
  const request = shareRequest.encode({ agreement: id })
  while (!signal.aborted) {
    await requests.call(peer, 'stop', request, { signal }).catch(() => undefined) // told again below
    await clock.sleep(STOP_RETRY_MS, signal).catch(() => undefined) // the share has ended
  }
}

/** Has a share stopped as soon as `stopped` aborts, until the result is disposed. */
export function stoppedWith(
  parts: ShareStopParts,
  share: ShareRecord,
  stopped: AbortSignal,
): AsyncDisposable {
  const over = new AbortController()
  const work = new TasksInFlight()
  const stop = () =>
    work.start(
      async () => keepStopping(parts, share, over.signal),
      () => undefined, // it throws nothing
    )
  if (stopped.aborted) stop()
  else stopped.addEventListener('abort', stop, { once: true })
  return {
    [Symbol.asyncDispose]: async () => {
      stopped.removeEventListener('abort', stop)
      over.abort()
      await work.settled()
    },
  }
}
