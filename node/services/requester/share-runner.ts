import { codeOf, HiveError, isErrorCode } from '../../domain/errors.ts'
import type { ErrorCode } from '../../domain/error-codes.ts'
import type { Address } from '../../domain/ids.ts'
import { contentsOf, type JobSpec } from '../../domain/job-spec.ts'
import { isFinal, step, stepIfAllowed } from '../../domain/job-state.ts'
import { isBillable, type TaskResult } from '../../domain/receipt.ts'
import { taskPace } from '../../domain/seen-content.ts'
import type { Blobs } from '../../ports/blobs.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Logger } from '../../ports/logger.ts'
import type { Requests } from '../../ports/requests.ts'
import { fromHex, toHex } from '../../protocol/bytes.ts'
import type { Signing } from '../signing.ts'
import type { Awarding } from './awarding.ts'
import type { ChannelLedger } from './channel-ledger.ts'
import type { Following, LastEvent } from './following.ts'
import { tailsOf, untakenRuns, withFailedRuns } from './failed-runs.ts'
import type { JobBook } from './job-book.ts'
import type { LiveTasks } from './live-tasks.ts'
import { eitherEnd, type JobEnds } from './job-ends.ts'
import { PhaseLimits } from './phase-limits.ts'
import type { Metering } from './metering.ts'
import type { ProviderMemory, ShareSeen } from './provider-memory.ts'
import type { JobRecord, ShareRecord } from './records.ts'
import { stoppedWith } from './share-stop.ts'
import { isResult, mayTryAgain, withResults, withTries } from './task-again.ts'
import { verifyShare } from './verifying.ts'

export interface ShareRunnerParts {
  readonly clock: Clock
  readonly logger: Logger
  readonly requests: Requests
  readonly blobs: Blobs
  readonly signing: Signing
  readonly book: JobBook
  readonly live: LiveTasks
  readonly awarding: Awarding
  readonly following: Following
  readonly metering: Metering
  readonly channels: ChannelLedger
  readonly memory: ProviderMemory
  /** Called when a share was paid, so that its voucher gets delivered. */
  readonly onPaid: (provider: Address) => void
}

/** Tasks that a share left without a result. */
export interface Leftover {
  /** Due again, as their job notes. */
  readonly again: readonly number[]
  /** Not to be run again: their job's policy does not name how they failed. */
  readonly givenUp: readonly number[]
  /** Why they are given up, where the policy has no say in it. */
  readonly cause?: HiveError
}

/** A task without a result; none where its share was lost. */
interface OpenTask {
  readonly task: number
  readonly result?: TaskResult
}

/** Sees single shares through, from the agreement to the payment. */
export class ShareRunner {
  readonly #parts: ShareRunnerParts

  constructor(parts: ShareRunnerParts) {
    this.#parts = parts
  }

  /**
   * Follows, verifies and pays. Resolves with what it leaves undone; throws when the job ends and it has nothing, or is
   * given up. `isTakenUp`: the share is one of an earlier life of this node.
   */
  async run(
    job: JobRecord,
    share: ShareRecord,
    isTakenUp: boolean,
    ends: JobEnds,
  ): Promise<Leftover> {
    await using limits = new PhaseLimits(this.#parts, job, share, isTakenUp, ends.signal)
    const open = await this.#openAfter(job, share, limits, ends)
    const { late } = limits
    if (codeOf(late) === 'QUEUE_TIMEOUT') return givenUp(open, late)
    const mayAgain = ({ result }: OpenTask) => mayTryAgain(job.request, result)
    return {
      again: open.filter(mayAgain).map(({ task }) => task),
      givenUp: open.filter((each) => !mayAgain(each)).map(({ task }) => task),
    }
  }

  async #openAfter(
    job: JobRecord,
    share: ShareRecord,
    limits: PhaseLimits,
    { signal, stopped }: JobEnds,
  ): Promise<readonly OpenTask[]> {
    const { clock, memory } = this.#parts
    const began = clock.now()
    try {
      const { spec } = job.request
      const { open, results } = await this.#followAndPay(spec, share, limits, stopped)
      const failed = open.some(({ reason }) => reason === 'killed' || reason === 'start-failed')
      // A provider does not fail by stopping as it was told, nor does that show how fast it is.
      if (stopped.aborted) return open.map((result) => ({ task: result.index, result }))
      if (failed) await memory.failed(share.provider)
      else {
        const ended = share.tasks.length - open.filter(({ reason }) => !isBillable(reason)).length
        const tookMs = clock.now() - began
        await memory.delivered(share.provider, ended, tookMs)
        await memory.saw(share.provider, shownBy(share, spec, results, tookMs))
      }
      return open.map((result) => ({ task: result.index, result }))
    } catch (error) {
      const why = signal.aborted || stopped.aborted ? error : (limits.late ?? error)
      await this.#abandon(share, why, { signal, stopped })
      return share.tasks.map((task) => ({ task }))
    }
  }

  /** Returns how the tasks ended, and which of these ends are no results. */
  async #followAndPay(
    spec: JobSpec,
    share: ShareRecord,
    limits: PhaseLimits,
    stopped: AbortSignal,
  ): Promise<{ readonly results: readonly TaskResult[]; readonly open: readonly TaskResult[] }> {
    const { signal } = limits
    const { awarding, metering, book, channels, live } = this.#parts
    const known = this.#parts.signing.open('Agreement', fromHex(share.agreement))
    const isSigned = known.signatories.length === 2
    const either = eitherEnd({ signal, stopped })
    const current = isSigned ? share : await awarding.send(share, either)
    const last = await this.#follow(current, limits, stopped)
    if (last.type === 'failed') throw new HiveError('PROVIDER_FAILED', { reason: last.code })
    const receivedAs = (await book.share(share.id)) ?? current
    const verifying = {
      ...stepIfAllowed(receivedAs, 'verify'),
      receipt: toHex(last.receipt),
      manifest: last.manifest,
    }
    await book.putShare(verifying)
    const bill = metering.bill(verifying)
    const { receipt, results } = await verifyShare(this.#parts, verifying, bill, spec, last, signal)
    const { paying } = bill
    const amount = bill.paid + (paying === undefined ? 0n : receipt.amount)
    const settled = { ...step(verifying, 'settle'), amount }
    let open: readonly TaskResult[] = []
    await book.settleShare(
      settled,
      (job) => {
        open = results.filter((result) => !isResult(result, job, share))
        const done = results.filter((result) => isResult(result, job, share))
        const noted = withFailedRuns(withResults(job, done), untakenRuns(live, share, open))
        return this.#tried(noted, share, open)
      },
      async (changes) => {
        const { provider } = share
        const paid = paying && { ...paying, amount: receipt.amount }
        await (paid ? channels.settle(provider, paid, changes) : book.write(changes))
      },
    )
    live.forget(share)
    for (const { id } of settled.meter?.agreed ?? [])
      if (id !== bill.agreement) await channels.release(share.provider, id, true)
    this.#parts.onPaid(share.provider)
    return { results, open }
  }

  async #follow(share: ShareRecord, limits: PhaseLimits, stopped: AbortSignal): Promise<LastEvent> {
    const { following, metering } = this.#parts
    const { signal } = limits
    await using _watch = metering.watch(share, signal)
    await using _stop = stoppedWith(this.#parts, share, stopped)
    return await following.toTheEnd(share, signal, () => limits.caughtUp())
  }

  #tried(job: JobRecord, { tasks, attempt }: ShareRecord, ends?: readonly TaskResult[]): JobRecord {
    const open = ends?.map((result) => ({ task: result.index, result }))
    return withTries(job, open ?? tasks.map((task) => ({ task })), attempt, this.#parts.clock.now())
  }

  async #abandon(share: ShareRecord, error: unknown, ends: JobEnds): Promise<void> {
    const { awarding, book, channels, live, logger } = this.#parts
    // A node that stops leaves the share as it is: the next start takes it up.
    if (codeOf(ends.signal.reason) === 'CANCELLED') throw error
    const end = eitherEnd(ends)
    const cancelled = end.aborted
    const told = await awarding.stop(share)
    const current = (await book.share(share.id)) ?? share
    const code = cancelled ? codeOf(end.reason) : reasonOf(error)
    const runs = await tailsOf(this.#parts, share, code)
    const noted = (job: JobRecord) =>
      withFailedRuns(cancelled ? job : this.#tried(job, share), runs)
    if (isFinal(current.state)) await book.change(share.job, noted)
    else {
      const ended = stepIfAllowed(current, cancelled ? 'cancel' : 'fail')
      await book.putShare({ ...ended, error: code }, noted)
    }
    live.forget(share)
    const agreed = current.meter?.agreed ?? [share]
    for (const { id } of agreed) await channels.release(share.provider, id, told)
    if (cancelled) throw error
    // A provider does not fail by having others to serve first.
    if (codeOf(error) === 'QUEUE_TIMEOUT') return
    await this.#parts.memory.failed(share.provider)
    logger.warn('share failed', {
      provider: share.provider,
      agreement: share.id,
      code: reasonOf(error),
    })
  }
}

/** What a delivered share shows of its provider; one that was taken up again, or is paid by the second, of no pace. */
function shownBy(
  share: ShareRecord,
  spec: JobSpec,
  results: readonly TaskResult[],
  tookMs: number,
): ShareSeen {
  const made = results.flatMap(({ stdout, stderr, files }) => [stdout, stderr, ...files])
  // The program last: of too many the earliest are forgotten.
  const contents = [...made, ...contentsOf(spec, share.tasks).toReversed()].map(({ cid }) => cid)
  const isWhole = share.state === 'awarded' && share.meter === undefined
  const taskMs = isWhole ? taskPace(results, tookMs) : undefined
  return { contents, program: spec.image.cid, ...(taskMs !== undefined && { taskMs }) }
}

function givenUp(open: readonly OpenTask[], cause: HiveError | undefined): Leftover {
  const left = { again: [], givenUp: open.map(({ task }) => task) }
  return { ...left, ...(cause !== undefined && { cause }) }
}

/** Why a share failed: in the provider's own word where it gave one. */
function reasonOf(error: unknown): ErrorCode {
  const reason = error instanceof HiveError ? error.data['reason'] : undefined
  return codeOf(error) === 'PROVIDER_FAILED' && isErrorCode(reason) ? reason : codeOf(error)
}
