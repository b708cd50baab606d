import { codeOf, HiveError } from '../../domain/errors.ts'
import type { Address, Bytes32 } from '../../domain/ids.ts'
import { owedFor } from '../../domain/metering.ts'
import type { Amount } from '../../domain/money.ts'
import { billedFor } from '../../domain/paid-use.ts'
import { isBillable, type TaskResult } from '../../domain/receipt.ts'
import type { PaidShare } from '../../domain/voucher.ts'
import type { Requests } from '../../ports/requests.ts'
import { TasksInFlight } from '../tasks-in-flight.ts'
import { hearBeat } from './beat-hearing.ts'
import type { ShareMeter, ShareRecord } from './records.ts'
import { Renewing, type RenewingParts } from './renewing.ts'
import { keepStopping } from './share-stop.ts'

export interface MeteringParts extends RenewingParts {
  readonly requests: Requests
  /** Called when an interval was paid, so that its voucher gets delivered. */
  readonly onPaid: (provider: Address) => void
}

/** What a receipt of a share may ask, and what there is left to pay by it. */
export interface Bill {
  /** The agreement that it has to be about. */
  readonly agreement: Bytes32
  /** What it asks when its tasks ended so. */
  readonly asked: (results: readonly TaskResult[]) => Amount
  /** What paying it adds to the channel; left out when a heartbeat has paid it. */
  readonly paying?: Pick<PaidShare, 'agreement' | 'seq'>
  /** Paid before. */
  readonly paid: Amount
}

/** Pays shares by the second: hears their heartbeats, and has a voucher and an agreement follow each. */
export class Metering {
  readonly #parts: MeteringParts
  readonly #renewing: Renewing

  constructor(parts: MeteringParts) {
    this.#parts = parts
    this.#renewing = new Renewing(parts)
  }

  /** Sees to a share's agreements, and to its end where its job is to stop, until the result is disposed. */
  watch(share: ShareRecord, signal: AbortSignal): AsyncDisposable {
    if (share.meter === undefined) return { [Symbol.asyncDispose]: async () => {} }
    const over = new AbortController()
    const either = AbortSignal.any([signal, over.signal])
    const work = new TasksInFlight()
    const { logger } = this.#parts
    const failed = (error: unknown) =>
      logger.warn('share not watched', { agreement: share.id, code: codeOf(error) })
    work.start(async () => this.#keepAgreed(share, either), failed)
    work.start(async () => this.#stopWhenAsked(share, either), failed)
    return {
      [Symbol.asyncDispose]: async () => {
        over.abort(new HiveError('CANCELLED'))
        await work.settled()
      },
    }
  }

  /**
   * Takes a heartbeat: pays its interval, in one write with what is remembered of it. Throws `HEARTBEAT_INVALID` or
   * `SIGNATURE_INVALID`; then nothing is paid.
   */
  async hear(id: Bytes32, bytes: Uint8Array, digest: Bytes32): Promise<void> {
    const { signing, clock, book, channels, onPaid } = this.#parts
    const share = await book.share(id)
    const meter = share?.meter
    if (share === undefined || meter === undefined)
      throw new HiveError('HEARTBEAT_INVALID', { rule: 'R4' })
    const [running] = meter.agreed
    const { payEveryMs } = meter
    const agreement = running?.id ?? id
    const context = { state: meter, payEveryMs, agreement, digest, now: clock.now() }
    const heard = hearBeat(signing, bytes, share.provider, context)
    if (heard === undefined) return
    if (running === undefined) throw new HiveError('HEARTBEAT_INVALID', { rule: 'R4' })
    const { beat, state } = heard
    if (beat.closing) {
      await book.changeShare(id, (now) => metered(now, { ...state, closedMs: beat.elapsedMs }))
      return
    }
    const { seq } = running
    const paid = { seq, agreement, amount: share.price }
    await book.changeShare(
      id,
      (now) => {
        const agreed = (now.meter?.agreed ?? []).filter((each) => each.id !== agreement)
        const amount = (now.amount ?? 0n) + now.price
        return metered({ ...now, amount }, { ...state, agreed, lastPaid: { id: agreement, seq } })
      },
      async (changes) =>
        channels.settle(share.provider, paid, [
          ...changes,
          book.renewal(agreement, running.agreement),
        ]),
    )
    onPaid(share.provider)
    await this.#endOfTerm(share.job)
  }

  /** A line to the provider of a share is there, or there again: a voucher that did not get through is not held back. */
  reached({ provider, meter }: ShareRecord): void {
    if (meter !== undefined) this.#parts.onPaid(provider)
  }

  /** What the receipt of a share may ask. */
  bill(share: ShareRecord): Bill {
    const { meter, price, terms } = share
    if (meter === undefined) {
      const perTask = price / BigInt(share.tasks.length)
      const paying = { agreement: share.id, seq: share.seq }
      const asked = (results: readonly TaskResult[]) => billedFor(terms, perTask, results)
      return { agreement: share.id, asked, paying, paid: 0n }
    }
    const paid = share.amount ?? 0n
    const [running] = meter.agreed
    if (meter.closedMs === undefined || running === undefined)
      return { agreement: meter.lastPaid?.id ?? share.id, asked: () => price, paid }
    const { id: agreement, seq } = running
    const before = (meter.beats - 1) * meter.payEveryMs
    const amount = owedFor(price, meter.payEveryMs, meter.closedMs - before)
    const asked = (results: readonly TaskResult[]) =>
      results.some(({ reason }) => isBillable(reason)) ? amount : 0n
    return { agreement, asked, paying: { agreement, seq }, paid }
  }

  async #keepAgreed(share: ShareRecord, signal: AbortSignal): Promise<void> {
    const { updates } = this.#parts.book
    const events = updates.subscribe(signal)
    await this.#renewing.keepAgreed(share.id, signal)
    for await (const update of events) {
      const isOurs = update.type === 'share' && update.share.id === share.id
      // Its budget may have been raised.
      const isJobs = update.type === 'job' && update.job.id === share.job
      if (isOurs || isJobs) await this.#renewing.keepAgreed(share.id, signal)
    }
  }

  async #stopWhenAsked(share: ShareRecord, signal: AbortSignal): Promise<void> {
    const { book } = this.#parts
    const events = book.updates.subscribe(signal)
    let isAsked = (await book.get(share.job)).stopping === true
    if (!isAsked)
      for await (const update of events) {
        isAsked =
          update.type === 'job' && update.job.id === share.job && update.job.stopping === true
        if (isAsked) break
      }
    if (isAsked) await keepStopping(this.#parts, share, signal)
  }

  /** Has a service stop that has run for all of its time, on however many providers. */
  async #endOfTerm(id: Bytes32): Promise<void> {
    const { book } = this.#parts
    const job = await book.get(id)
    const shares = await book.sharesOf(job)
    const ranMs = shares.reduce((sum, { meter }) => sum + (meter?.elapsedMs ?? 0), 0)
    const { termMs = job.request.spec.timeoutMs } = job
    if (ranMs < termMs || job.stopping === true) return
    await book.change(id, (each) => ({ ...each, stopping: true }))
  }
}

function metered(share: ShareRecord, changes: Partial<ShareMeter>): ShareRecord {
  return share.meter === undefined ? share : { ...share, meter: { ...share.meter, ...changes } }
}
