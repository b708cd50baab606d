import { Readable } from 'node:stream'
import type { FastifyReply } from 'fastify'
import { second } from '../domain/units.ts'
import type { Clock } from '../ports/clock.ts'

/** Silence after which a comment is sent, ms: well below the five minutes after which HTTP clients give up. */
const BEAT_MS: number = 15 * second

/** Answers with server-sent events, each one JSON value, and ends when `events` does. */
export async function sendEvents<T>(
  reply: FastifyReply,
  events: AsyncIterable<T>,
  clock: Clock,
  signal: AbortSignal,
): Promise<FastifyReply> {
  return reply
    .header('content-type', 'text/event-stream; charset=utf-8')
    .header('cache-control', 'no-store')
    .send(Readable.from(lines(events, clock, signal)))
}

async function* lines<T>(
  events: AsyncIterable<T>,
  clock: Clock,
  signal: AbortSignal,
): AsyncGenerator<string> {
  const iterator = events[Symbol.asyncIterator]()
  let next = iterator.next()
  while (true) {
    const result = await nextOrBeat(next, clock, signal)
    if (result === 'beat') yield ': beat\n\n'
    else if (result === 'stopped' || result.done === true) break
    else {
      yield `data: ${JSON.stringify(result.value)}\n\n`
      next = iterator.next()
    }
  }
  // An abort wakes the source, so that waiting for its last turn is short.
  await next.catch(() => undefined)
  await iterator.return?.()
}

async function nextOrBeat<T>(
  next: Promise<IteratorResult<T>>,
  clock: Clock,
  signal: AbortSignal,
): Promise<IteratorResult<T> | 'beat' | 'stopped'> {
  const done = new AbortController()
  const timer = clock.sleep(BEAT_MS, AbortSignal.any([signal, done.signal])).then(
    () => 'beat' as const,
    () => 'stopped' as const, // the reader left, or an event came first
  )
  try {
    return await Promise.race([next, timer])
  } finally {
    done.abort()
  }
}
