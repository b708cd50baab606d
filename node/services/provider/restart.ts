import { codeOf } from '../../domain/errors.ts'
import type { Bytes32 } from '../../domain/ids.ts'
import { stepIfAllowed } from '../../domain/job-state.ts'
import { second } from '../../domain/units.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Escrow } from '../../ports/escrow.ts'
import type { Logger } from '../../ports/logger.ts'
import type { Sandbox } from '../../ports/sandbox.ts'
import { withinTime } from '../time-limit.ts'
import { taskId, type WorkRecord } from './records.ts'
import type { WorkBook } from './work-book.ts'

export interface RestartParts {
  readonly clock: Clock
  readonly logger: Logger
  readonly sandboxes: readonly Sandbox[]
  readonly works: WorkBook
  readonly escrow: Escrow
}

/** A share that was there each time when the node went down is not tried for ever: it may be what takes it down. */
const MAX_RESTARTS = 3

/** How long the chain may take to say which channels are closed, ms: the node is not up before. */
const CHAIN_PATIENCE_MS: number = 10 * second

/** Shares that were under way when the node was gone, and are not lost. */
export interface SharesLeft {
  readonly goingOn: readonly WorkRecord[]
  /** Tried often enough: to be delivered with what has ended. */
  readonly ending: readonly WorkRecord[]
}

/**
 * Sorts the shares that were under way when the node was gone. Those that are not in the answer are honestly failed, and
 * their requesters hear it when they ask. What no share needs any more stops running.
 */
export async function goOnAfterRestart(
  parts: RestartParts,
  underWay: readonly WorkRecord[],
): Promise<SharesLeft> {
  const { clock, logger, works } = parts
  const closed = await closedChannels(parts, underWay)
  const goingOn: WorkRecord[] = []
  const ending: WorkRecord[] = []
  for (const work of underWay) {
    const restarts = (work.restarts ?? 0) + 1
    const isLate = clock.now() >= works.intervals.finishBy(work) * second
    const isTried = restarts > MAX_RESTARTS
    const hasEnded = (await works.endedTasks(work.id)).size > 0
    if (isLate || closed.has(work.channel) || (isTried && !hasEnded)) {
      await works.put({ ...stepIfAllowed(work, 'fail'), error: 'INTERRUPTED' })
      continue
    }
    const again = { ...work, restarts }
    // on record first: a share that takes the node down at once is counted too
    await works.put(again)
    if (isTried) ending.push(again)
    else goingOn.push(again)
  }
  const wanted = new Set(
    goingOn.flatMap(({ id, tasks }) => tasks.map((index) => taskId(id, index))),
  )
  await endLeft(parts, (id) => !wanted.has(id))
  const interrupted = underWay.length - goingOn.length - ending.length
  if (underWay.length > 0)
    logger.warn('shares were under way at the last stop', {
      goingOn: goingOn.length,
      ending: ending.length,
      interrupted,
    })
  return { goingOn, ending }
}

/** Those of the shares' channels that have paid their last. */
async function closedChannels(
  { clock, escrow, logger }: RestartParts,
  works: readonly WorkRecord[],
): Promise<ReadonlySet<Bytes32>> {
  const ids = [...new Set(works.map(({ channel }) => channel))]
  const { signal: never } = new AbortController()
  const limit = { ms: CHAIN_PATIENCE_MS, code: 'CHAIN_UNREACHABLE', signal: never } as const
  try {
    const channels = await withinTime(clock, limit, async (signal) =>
      Promise.all(ids.map(async (id) => escrow.channel(id, { signal }))),
    )
    return new Set(channels.flatMap((each) => (each?.status === 'closed' ? [each.id] : [])))
  } catch (error) {
    // a chain that does not answer now says so to the reconciler too; a share is worth going on with until then
    logger.warn('channels could not be looked up', { code: codeOf(error) })
    return new Set()
  }
}

/** Ends tasks that an earlier life of the node left running. */
export async function endLeft(
  { sandboxes, logger }: Pick<RestartParts, 'sandboxes' | 'logger'>,
  isUnwanted: (id: string) => boolean,
): Promise<void> {
  for (const { left } of sandboxes) {
    for (const id of [...(left?.ids ?? [])].filter(isUnwanted)) {
      await left?.end(id).catch((error: unknown) => {
        // an engine that is gone now: the next start looks again
        logger.warn('task left running could not be ended', { task: id, code: codeOf(error) })
      })
    }
  }
}
