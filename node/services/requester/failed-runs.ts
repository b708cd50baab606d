import { codeOf } from '../../domain/errors.ts'
import type { TaskResult } from '../../domain/receipt.ts'
import { KiB } from '../../domain/units.ts'
import type { Blobs } from '../../ports/blobs.ts'
import type { Logger } from '../../ports/logger.ts'
import type { OutputStream } from '../../ports/sandbox.ts'
import type { LiveRun, LiveTasks } from './live-tasks.ts'
import type { FailedRun, JobRecord, OutputTail, ShareRecord } from './records.ts'

/** Most that is kept of each stream of a run that brought no result, bytes: its end. */
export const MAX_TAIL_BYTES: number = 32 * KiB
/** Runs without a result that a job remembers; the oldest go first. */
export const MAX_FAILED_RUNS = 200

export interface FailedRunsParts {
  readonly logger: Logger
  readonly blobs: Blobs
  readonly live: LiveTasks
}

/** What the runs of a share that is given up had printed, put by as content; runs that printed nothing are left out. */
export async function tailsOf(
  { logger, blobs, live }: FailedRunsParts,
  share: ShareRecord,
  end: string,
): Promise<readonly FailedRun[]> {
  const tail = async (run: LiveRun, stream: OutputStream): Promise<OutputTail | undefined> => {
    const bytes = run.output.tail(stream, MAX_TAIL_BYTES)
    if (bytes.byteLength === 0) return undefined
    const from = run.output.told[stream] - bytes.byteLength
    return { cid: await blobs.add(bytes), size: bytes.byteLength, from }
  }
  const runs = live.ofShare(share).filter(({ output }) => output.bytes > 0)
  try {
    return await Promise.all(
      runs.slice(-MAX_FAILED_RUNS).map(async (run) => {
        const { key, task, attempt, provider } = run
        const [stdout, stderr] = [await tail(run, 1), await tail(run, 2)]
        return failedRun({ key, task, attempt, provider, end }, stdout, stderr)
      }),
    )
  } catch (error) {
    // a full disk: giving the share up matters more
    logger.warn('output of failed tasks not kept', { agreement: share.id, code: codeOf(error) })
    return []
  }
}

/** Verified runs of a share that are no results: their output is on this node as it is. */
export function untakenRuns(
  live: LiveTasks,
  share: ShareRecord,
  results: readonly TaskResult[],
): readonly FailedRun[] {
  const { attempt, provider, id } = share
  const runs = live.ofShare(share)
  return results
    .filter(({ stdout, stderr }) => stdout.size + stderr.size > 0)
    .map(({ index: task, reason, exitCode, stdout, stderr }) => {
      const key = runs.findLast((run) => run.task === task)?.key ?? `${id}/${task}`
      const end = reason === 'exit' ? `exit ${exitCode}` : reason
      const whole = ({ cid, size }: TaskResult['stdout']) =>
        size > 0 ? { cid, size, from: 0 } : undefined
      const run = { key, task, attempt, provider, end }
      return failedRun(run, whole(stdout), whole(stderr))
    })
}

/** A job that remembers these runs too. */
export function withFailedRuns(job: JobRecord, runs: readonly FailedRun[]): JobRecord {
  if (runs.length === 0) return job
  return { ...job, failedRuns: [...(job.failedRuns ?? []), ...runs].slice(-MAX_FAILED_RUNS) }
}

function failedRun(
  run: Omit<FailedRun, 'stdout' | 'stderr'>,
  stdout: OutputTail | undefined,
  stderr: OutputTail | undefined,
): FailedRun {
  return {
    ...run,
    ...(stdout !== undefined && { stdout }),
    ...(stderr !== undefined && { stderr }),
  }
}
