import { codeOf, HiveError, isErrorCode } from '../../domain/errors.ts'
import type { ErrorCode } from '../../domain/error-codes.ts'
import type { Address } from '../../domain/ids.ts'
import type { JobSpec } from '../../domain/job-spec.ts'
import { isFinal, step, stepIfAllowed } from '../../domain/job-state.ts'
import { isBillable, type TaskResult } from '../../domain/receipt.ts'
import type { Blobs } from '../../ports/blobs.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Logger } from '../../ports/logger.ts'
import { fromHex, toHex } from '../../protocol/bytes.ts'
import type { Signing } from '../signing.ts'
import { withResults, type Awarding } from './awarding.ts'
import type { ChannelLedger } from './channel-ledger.ts'
import type { Following } from './following.ts'
import type { JobBook } from './job-book.ts'
import type { ProviderMemory } from './provider-memory.ts'
import type { JobRecord, ShareRecord } from './records.ts'
import { verifyShare } from './verifying.ts'

export interface ShareRunnerParts {
  readonly clock: Clock
  readonly logger: Logger
  readonly blobs: Blobs
  readonly signing: Signing
  readonly book: JobBook
  readonly awarding: Awarding
  readonly following: Following
  readonly channels: ChannelLedger
  readonly memory: ProviderMemory
  /** Called when a share was paid, so that its voucher gets delivered. */
  readonly onPaid: (provider: Address) => void
}

/** What earlier attempts at some tasks left behind. */
export interface History {
  readonly tried: ReadonlySet<Address>
  /** The results of tasks that one provider calls impossible and no other has confirmed. */
  readonly doubted: ReadonlyMap<number, TaskResult>
}

export const NO_HISTORY: History = { tried: new Set(), doubted: new Map() }

/** Tasks that a share left undone, and what is known of them now. */
export interface Leftover {
  readonly tasks: readonly number[]
  readonly history: History
}

/** Sees single shares through, from the agreement to the payment. */
export class ShareRunner {
  readonly #parts: ShareRunnerParts

  constructor(parts: ShareRunnerParts) {
    this.#parts = parts
  }

  /** Follows, verifies and pays. Resolves with what it leaves undone; throws when the job stops. */
  async run(
    job: JobRecord,
    share: ShareRecord,
    history: History,
    signal: AbortSignal,
  ): Promise<Leftover> {
    let left: readonly number[] = share.tasks
    let doubted = history.doubted
    const { clock, memory } = this.#parts
    const began = clock.now()
    try {
      const open = await this.#followAndPay(job.request.spec, share, history, signal)
      left = open.map(({ index }) => index)
      const failed = open.some(({ reason }) => reason === 'killed' || reason === 'start-failed')
      if (failed) await memory.failed(share.provider)
      else
        await memory.delivered(
          share.provider,
          share.tasks.length - open.length,
          clock.now() - began,
        )
      const bad = open.filter(({ reason }) => reason === 'image-bad')
      doubted = new Map([...doubted, ...bad.map((result) => [result.index, result] as const)])
    } catch (error) {
      await this.#abandon(share, error, signal)
    }
    const tried = new Set([...history.tried, share.provider])
    return { tasks: left, history: { tried, doubted } }
  }

  /** Returns the results of the tasks that the provider could not run. */
  async #followAndPay(
    spec: JobSpec,
    share: ShareRecord,
    { doubted }: History,
    signal: AbortSignal,
  ): Promise<readonly TaskResult[]> {
    const { awarding, following, book, channels } = this.#parts
    const known = this.#parts.signing.open('Agreement', fromHex(share.agreement))
    const current = known.signatories.length === 2 ? share : await awarding.send(share, signal)
    const last = await following.toTheEnd(current, signal)
    if (last.type === 'failed') throw new HiveError('PROVIDER_FAILED', { reason: last.code })
    const receivedAs = (await book.share(share.id)) ?? current
    const verifying = {
      ...stepIfAllowed(receivedAs, 'verify'),
      receipt: toHex(last.receipt),
      manifest: last.manifest,
    }
    await book.putShare(verifying)
    const { receipt, results } = await verifyShare(this.#parts, verifying, spec, last, signal)
    // Independent providers that agree are believed; one alone may be lazy, or broken.
    const isDone = ({ index, reason }: TaskResult) =>
      isBillable(reason) || (reason === 'image-bad' && doubted.has(index))
    const settled = { ...step(verifying, 'settle'), amount: receipt.amount }
    const paid = { seq: share.seq, agreement: share.id, amount: receipt.amount }
    await book.settleShare(
      settled,
      (each) => withResults(each, results.filter(isDone)),
      async (changes) => channels.settle(share.provider, paid, changes),
    )
    this.#parts.onPaid(share.provider)
    return results.filter((result) => !isDone(result))
  }

  async #abandon(share: ShareRecord, error: unknown, signal: AbortSignal): Promise<void> {
    const { awarding, book, channels, logger } = this.#parts
    // A node that stops leaves the share as it is: the next start takes it up.
    if (codeOf(signal.reason) === 'CANCELLED') throw error
    const cancelled = signal.aborted
    const told = await awarding.stop(share)
    const current = (await book.share(share.id)) ?? share
    if (!isFinal(current.state)) {
      await book.putShare({
        ...stepIfAllowed(current, cancelled ? 'cancel' : 'fail'),
        error: reasonOf(error),
      })
    }
    await channels.release(share.provider, share.id, told)
    if (cancelled) throw error
    await this.#parts.memory.failed(share.provider)
    logger.warn('share failed', {
      provider: share.provider,
      agreement: share.id,
      code: reasonOf(error),
    })
  }
}

/** Why a share failed: in the provider's own word where it gave one. */
function reasonOf(error: unknown): ErrorCode {
  const reason = error instanceof HiveError ? error.data['reason'] : undefined
  return codeOf(error) === 'PROVIDER_FAILED' && isErrorCode(reason) ? reason : codeOf(error)
}
