import { HiveError } from '../../domain/errors.ts'
import type { TaskConnection } from '../../ports/attach.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Duplex } from '../../ports/conversations.ts'
import { piecesOf } from '../../protocol/attach.ts'
import { bothWays } from '../both-ways.ts'
import { ATTACHED_IDLE_MS, type AttachedPlace } from './attach-budget.ts'

export interface ForwardingParts {
  readonly clock: Clock
  readonly line: Duplex
  readonly connection: TaskConnection
  readonly place: AttachedPlace
}

/**
 * Carries bytes between a requester and a port inside its task, each direction to its own end. Throws STREAM_CUT when
 * either end breaks off, ATTACH_LIMIT, and TASK_NOT_RUNNING when the task ends before.
 */
export async function forwarded(parts: ForwardingParts, signal: AbortSignal): Promise<void> {
  const { clock, line, connection, place } = parts
  const over = new AbortController()
  let last = clock.now()
  const moved = (bytes: Uint8Array) => {
    last = clock.now()
    place.count(bytes.byteLength)
  }
  const down = async () => {
    for await (const bytes of connection.incoming) {
      moved(bytes)
      for (const piece of piecesOf(bytes)) await line.write(piece)
    }
    // what was cut off from here is no end
    signal.throwIfAborted()
    await line.end()
  }
  const up = async () => {
    for (let bytes = await line.read(); bytes !== undefined; bytes = await line.read()) {
      moved(bytes)
      await connection.write(bytes)
    }
    await connection.end()
  }
  const either = AbortSignal.any([signal, over.signal])
  const broken = Promise.withResolvers<never>()
  const stop = () => broken.reject(signal.reason ?? new HiveError('STREAM_CUT'))
  signal.addEventListener('abort', stop, { once: true })
  if (signal.aborted) stop()
  const watch = async () => {
    while (!either.aborted) {
      const idleMs = clock.now() - last
      if (idleMs >= ATTACHED_IDLE_MS) throw new HiveError('STREAM_CUT', { idleMs })
      await clock.sleep(ATTACHED_IDLE_MS - idleMs, either).catch(() => undefined) // over: the loop ends
    }
  }
  const carrying = bothWays([down(), up()], async () => connection[Symbol.asyncDispose]())
  // who lost the race is ended by the disposals of the line and the connection
  carrying.catch(() => undefined)
  try {
    await Promise.race([carrying, broken.promise, watch().then(async () => carrying)])
  } finally {
    over.abort()
    signal.removeEventListener('abort', stop)
  }
}
