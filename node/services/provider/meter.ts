import { HiveError } from '../../domain/errors.ts'
import type { TaskResult } from '../../domain/receipt.ts'
import { owedFor, voucherGraceMs } from '../../domain/metering.ts'
import { extendedTerm } from '../../domain/service-term.ts'
import type { Amount } from '../../domain/money.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Logger } from '../../ports/logger.ts'
import type { Signing } from '../signing.ts'
import type { Credit } from './credit.ts'
import type { IntervalRecord } from './interval-book.ts'
import type { WorkRecord } from './records.ts'
import type { ShareLog } from './share-log.ts'
import type { WorkBook } from './work-book.ts'

export interface MeterParts {
  readonly clock: Clock
  readonly logger: Logger
  readonly signing: Signing
  readonly works: WorkBook
  readonly credit: Credit
}

/** What the receipt of a metered share asks, and the interval that it is about. */
export interface LastInterval {
  readonly interval: IntervalRecord
  readonly amount: Amount
}

/**
 * Counts the time of a share that is paid by the second: writes down each interval as it ends, tells it by a heartbeat,
 * and stops the share when its voucher does not follow in time, or when nobody has listened for an interval.
 */
export class Meter {
  readonly #parts: MeterParts
  readonly #work: WorkRecord
  readonly #log: ShareLog
  readonly #unpaid = new AbortController()
  readonly #timeOver = new AbortController()
  /** Aborts when the share is to end with what it has so far. */
  readonly stop: AbortSignal
  /** Run since the last interval that had ended when the count began, ms. */
  #countedMs = 0
  /** When the count began in this life of the node, Unix ms. */
  #beganAt = 0
  #hasToldDue = false

  constructor(parts: MeterParts, work: WorkRecord, log: ShareLog, stopped: AbortSignal) {
    this.#parts = parts
    this.#work = work
    this.#log = log
    this.stop = AbortSignal.any([stopped, this.#unpaid.signal, this.#timeOver.signal])
  }

  /** What has run and is told, ms. */
  get toldMs(): number {
    return this.#parts.works.intervals.ended(this.#work.id) * this.#everyMs
  }

  /** Counts for as long as `run` takes. */
  async during<T>(run: () => Promise<T>): Promise<T> {
    const { clock } = this.#parts
    this.#tellDue()
    this.#beganAt = clock.now()
    const from = this.#beganAt - this.toldMs
    const ended = new AbortController()
    const beating = Promise.all([
      this.#beat(from, ended.signal),
      this.#endOfTerm(from, ended.signal),
    ])
    try {
      return await run()
    } finally {
      this.#countedMs = clock.now() - from
      ended.abort()
      await beating
    }
  }

  /** A result in the words of a service: its time is no limit, and being stopped is no failure. */
  ended(result: TaskResult): TaskResult {
    const { reason } = result
    if (reason === 'timeout') return { ...result, reason: 'stopped', detail: 'its time is over' }
    if (reason !== 'killed' || !this.stop.aborted) return result
    return { ...result, reason: 'stopped', detail: this.#why }
  }

  /** Ends the count by a closing heartbeat where there is time to tell. */
  close(): LastInterval {
    const { works } = this.#parts
    this.#tellDue()
    const told = works.intervals.ended(this.#work.id)
    const next = works.intervals.at(this.#work.id, told + 1)
    const isUnpaid = this.#unpaid.signal.aborted
    if (next !== undefined && !isUnpaid) {
      const elapsedMs = Math.min(
        Math.max(this.#countedMs, this.toldMs),
        this.toldMs + this.#everyMs,
      )
      const amount = owedFor(next.price, this.#everyMs, elapsedMs - this.toldMs)
      this.#tell(next, elapsedMs, true)
      return { interval: next, amount }
    }
    const last = works.intervals.last(this.#work.id)
    if (last === undefined) throw new HiveError('INTERNAL', { agreement: this.#work.id })
    return { interval: last, amount: last.amount ?? 0n }
  }

  /** Once: what an earlier life of this node wrote down and may not have told. */
  #tellDue(): void {
    if (this.#hasToldDue) return
    this.#hasToldDue = true
    for (const due of this.#parts.works.intervals.due(this.#work.id)) this.#tell(due)
  }

  get #why(): string {
    if (this.#unpaid.signal.aborted) return 'not paid any more'
    return this.#timeOver.signal.aborted ? 'its time is over' : 'stopped by its requester'
  }

  /** How long the share may run in all, ms: as offered, and as much longer as its deadline has moved. */
  get #termMs(): number {
    const { ask, finishBy } = this.#work
    const { intervals } = this.#parts.works
    return extendedTerm(ask.taskTimeoutMs, finishBy, intervals.finishBy(this.#work))
  }

  get #everyMs(): number {
    return this.#work.ask.payEveryMs
  }

  async #endOfTerm(from: number, signal: AbortSignal): Promise<void> {
    const { clock } = this.#parts
    while (!signal.aborted) {
      const left = from + this.#termMs - clock.now()
      if (left <= 0) return this.#timeOver.abort(new HiveError('JOB_TIMEOUT'))
      await clock.sleep(left, signal).catch(() => undefined) // the share has ended
    }
  }

  async #beat(from: number, signal: AbortSignal): Promise<void> {
    const { clock, works } = this.#parts
    const { id } = this.#work
    while (!signal.aborted) {
      const number = works.intervals.ended(id) + 1
      const endsAt = from + number * this.#everyMs
      const next = Math.min(endsAt, this.#stopsAt(endsAt))
      await clock.sleep(Math.max(0, next - clock.now()), signal).catch(() => undefined) // the share has ended
      if (signal.aborted) return
      // an interval that is over by now is not told on top of one that is not paid
      if (clock.now() >= this.#stopsAt(endsAt)) return this.#stopUnpaid(number, this.#silence())
      if (clock.now() < endsAt) continue
      const interval = works.intervals.at(id, number)
      if (interval === undefined) return this.#unpaid.abort(new HiveError('UNPAID'))
      // on record before anyone hears of it: what is told is owed
      const ended = { state: 'due', amount: interval.price, endedAt: clock.now() } as const
      await works.changeIntervals(id, () => [{ ...interval, ...ended }])
      this.#tell(interval)
      const fault = this.#fault(number)
      if (fault !== undefined) return this.#stopUnpaid(number, fault)
    }
  }

  #stopUnpaid(interval: number, fault: string): void {
    const { logger } = this.#parts
    logger.warn('metered share not paid', { agreement: this.#work.id, interval, fault })
    this.#unpaid.abort(new HiveError('UNPAID', { interval, fault }))
  }

  /**
   * When the share is stopped unless what is told is paid by then, Unix ms; never while nothing is unpaid. Not after
   * `endsAt`, when the next is due: of one that was told late the voucher may have longer than that.
   */
  #stopsAt(endsAt: number): number {
    const [due] = this.#parts.works.intervals.due(this.#work.id)
    if (due === undefined) return Infinity
    const toldAt = Math.max(due.endedAt ?? 0, this.#beganAt)
    const voucherBy = Math.min(toldAt + voucherGraceMs(this.#everyMs), endsAt)
    const { unreadSince } = this.#log
    if (unreadSince === undefined) return voucherBy
    return Math.min(voucherBy, Math.max(unreadSince, this.#beganAt) + this.#everyMs)
  }

  #silence(): string {
    return this.#log.unreadSince === undefined ? 'no voucher followed' : 'nobody listens'
  }

  /** Why the interval after `number` is not begun, or `undefined`. */
  #fault(number: number): string | undefined {
    const { works, credit } = this.#parts
    const { id, requester } = this.#work
    if (works.intervals.at(id, number + 1) === undefined) return 'no further agreement'
    // its next interval counts as begun by now
    return credit.has(requester, 0n) ? undefined : 'beyond the credit window'
  }

  #tell(
    { id, number }: IntervalRecord,
    elapsedMs: number = number * this.#everyMs,
    closing = false,
  ): void {
    const { clock, signing } = this.#parts
    const { digest } = this.#log
    const heartbeat = signing.seal('Heartbeat', {
      agreement: id,
      seq: number,
      elapsedMs,
      digest,
      closing,
      at: clock.now(),
    })
    this.#log.add({ type: 'heartbeat', heartbeat: heartbeat.bytes })
  }
}
