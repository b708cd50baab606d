import { HiveError } from '../../domain/errors.ts'
import { isMetered } from '../../domain/metering.ts'
import { second } from '../../domain/units.ts'
import type { Clock } from '../../ports/clock.ts'
import { withinTime } from '../time-limit.ts'
import type { WorkRecord } from './records.ts'
import type { ShareLog } from './share-log.ts'

/**
 * Resolves when a task of a share that was interrupted may be begun from its start: its requester has come back for it,
 * and there is time.
 * @throws HiveError INTERRUPTED when it could not end in time any more
 */
export async function mayBeginAgain(
  clock: Clock,
  work: WorkRecord,
  log: ShareLog,
  signal: AbortSignal,
): Promise<void> {
  // a service is worth what is left of its term
  const needs = isMetered(work.ask) ? work.ask.payEveryMs : work.ask.taskTimeoutMs
  const latest = work.finishBy * second - needs
  const ms = latest - clock.now()
  if (ms <= 0) throw new HiveError('INTERRUPTED')
  await withinTime(clock, { ms, code: 'INTERRUPTED', signal }, async (limited) => {
    const { promise, reject } = Promise.withResolvers<never>()
    const leave = () => reject(limited.reason as Error)
    if (limited.aborted) leave()
    limited.addEventListener('abort', leave, { once: true })
    await Promise.race([log.followed, promise]).finally(() => {
      limited.removeEventListener('abort', leave)
    })
  })
}
