import { Readable } from 'node:stream'
import type { FastifyReply } from 'fastify'
import { HiveError } from '../domain/errors.ts'
import { second } from '../domain/units.ts'
import type { Clock } from '../ports/clock.ts'
import { errorBody } from './error-reply.ts'
import type { ErrorBody } from './schemas/basics.ts'

/** Silence after which a comment is sent, ms: well below the five minutes after which HTTP clients give up. */
const BEAT_MS: number = 15 * second

/** How an event begins that says why no more will come. */
export const ERROR_EVENT = 'event: error\n'

/** Answers with server-sent events, each one JSON value, and ends when `events` does or with why it could not. */
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
  try {
    while (true) {
      const result = await nextOrBeat(next, clock, signal)
      if (result === 'beat') yield ': beat\n\n'
      else if (result === 'stopped' || result.done === true) break
      else {
        yield `data: ${JSON.stringify(result.value)}\n\n`
        next = iterator.next()
      }
    }
  } catch (error) {
    // The status line is long gone: the reason goes where the events go.
    if (!signal.aborted) yield `${ERROR_EVENT}data: ${JSON.stringify(reasonOf(error))}\n\n`
  } finally {
    // An abort wakes the source, so that waiting for its last turn is short.
    await next.catch(() => undefined)
    await iterator.return?.()
  }
}

function reasonOf(error: unknown): ErrorBody {
  return errorBody(error instanceof HiveError ? error : new HiveError('INTERNAL'))
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
