import type { Amount } from './money.ts'
import { minute, second } from './units.ts'

/** Shortest time after which a metered share is paid, ms. Source: docs/protocol/offers.md R11. */
export const MIN_PAY_EVERY_MS: number = 1 * second
/** Longest time after which a metered share is paid, ms. Source: docs/protocol/offers.md R11. */
export const MAX_PAY_EVERY_MS: number = 10 * minute

/** Intervals agreed at a time: the one that runs, and the next, so that nothing runs without an agreement. */
export const INTERVALS_AGREED = 2
/** Shortest time that a voucher has after its heartbeat, ms: it travels, and is written down first. */
export const MIN_VOUCHER_GRACE_MS: number = 1 * second
/** Longest, ms: a requester that starts again, or a line that is cut, is back by then or pays for another share. */
export const MAX_VOUCHER_GRACE_MS: number = 10 * second
/** How much longer than an interval a provider may be silent before its share goes elsewhere, ms: it may be starting again. */
export const SILENCE_GRACE_MS: number = 5 * second

/** What an offer says of how its tasks are paid. */
export interface PaidEvery {
  /** 0: a task is paid when it has ended, and prices are those of a task; otherwise those of a second of it. */
  readonly payEveryMs: number
}

/** Whether prices are by the second, and paid as time goes. */
export function isMetered({ payEveryMs }: PaidEvery): boolean {
  return payEveryMs > 0
}

/** Whether an interval is none at all, or one that an offer may have: whole seconds. */
export function isPayInterval(ms: number): boolean {
  if (ms === 0) return true
  return ms >= MIN_PAY_EVERY_MS && ms <= MAX_PAY_EVERY_MS && ms % second === 0
}

/** What one agreement about `tasks` tasks is for: all of them, or an interval of them. */
export function agreedPrice(offer: PaidEvery, bidPrice: Amount, tasks: number): Amount {
  const seconds = isMetered(offer) ? offer.payEveryMs / second : 1
  return bidPrice * BigInt(tasks) * BigInt(seconds)
}

/** What is agreed for one task as soon as it is placed: its price, or that of the intervals agreed at a time. */
export function agreedAtOnce(offer: PaidEvery, bidPrice: Amount): Amount {
  return agreedPrice(offer, bidPrice, 1) * (isMetered(offer) ? BigInt(INTERVALS_AGREED) : 1n)
}

/** What is owed for `ms` of an interval of `intervalPrice`: begun seconds are free, and no more than all of it. */
export function owedFor(intervalPrice: Amount, payEveryMs: number, ms: number): Amount {
  const seconds = Math.floor(Math.min(Math.max(0, ms), payEveryMs) / second)
  return (intervalPrice / BigInt(payEveryMs / second)) * BigInt(seconds)
}

/** How long the voucher for an interval may take after its heartbeat, ms: half an interval, within bounds. */
export function voucherGraceMs(payEveryMs: number): number {
  const half = Math.floor(payEveryMs / 2)
  return Math.min(Math.max(half, MIN_VOUCHER_GRACE_MS), MAX_VOUCHER_GRACE_MS)
}

/** The interval, counted from 1, in which a share stands after `elapsedMs`; one that has just ended is not left yet. */
export function intervalAt(elapsedMs: number, payEveryMs: number): number {
  return Math.max(1, Math.ceil(elapsedMs / payEveryMs))
}
