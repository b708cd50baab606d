import type { Clock } from '../../ports/clock.ts'

/** Longest delay that a Node timer keeps, ms; a longer one would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1

/** The machine's own time. */
export const systemClock: Clock = {
  now: () => Date.now(),
  async sleep(ms, signal) {
    let left = ms
    for (; left > MAX_TIMER_MS; left -= MAX_TIMER_MS) await nap(MAX_TIMER_MS, signal)
    await nap(left, signal)
  },
}

async function nap(ms: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, ms)
  const onAbort = (): void => reject(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    await promise
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', onAbort)
  }
}
