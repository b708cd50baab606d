import type { Amount } from './money.ts'
import { isBillable, type TaskResult } from './receipt.ts'

/** What of its use a task may be paid for. */
export const USE_UNITS = ['cpu', 'fuel'] as const
/** What a price is of: all of a task, or its processor time, or the instructions that it executes. */
export const PAY_UNITS = ['task', ...USE_UNITS] as const
export type UseUnit = (typeof USE_UNITS)[number]

/**
 * Fuel that is priced as one core-second: a unit is a nanosecond, as for the clock of deterministic tasks. So the price
 * does not depend on whose machine counts.
 */
export const FUEL_PER_CORE_SECOND = 1_000_000_000
/** What is owed of a task's price however little it used: its place was held for it all the same. */
export const LEAST_PAID_PERCENT = 1

/** What an offer says of how the use of a task is paid; its price is that of the most it may use. */
export interface UseTerms {
  /** One of {@link PAY_UNITS}. */
  readonly payPer: string
  readonly cpuMillis: number
  readonly taskTimeoutMs: number
  /** Instructions, weighted, that one task may execute; 0: not counted. */
  readonly fuel: number
}

/** Whether a task is paid by what it was measured to use, up to its price. */
export function isPaidByUse({ payPer }: Pick<UseTerms, 'payPer'>): boolean {
  return USE_UNITS.some((unit) => unit === payPer)
}

/** These terms of an offer alone, as they are kept. */
export function pickUseTerms({ payPer, cpuMillis, taskTimeoutMs, fuel }: UseTerms): UseTerms {
  return { payPer, cpuMillis, taskTimeoutMs, fuel }
}

/** Whether offers may have these terms: a known unit, fuel that is counted, and nothing that use leaves unpaid. */
export function arePayTerms(
  terms: UseTerms & { readonly payEveryMs: number; readonly gpus: number },
): boolean {
  const { payPer, fuel, payEveryMs, gpus } = terms
  if (payPer === 'task') return true
  const isMeasured = payPer === 'cpu' || (payPer === 'fuel' && fuel > 0)
  return isMeasured && payEveryMs === 0 && gpus === 0
}

/** What `tasks` of `price` each come to, by how they ended and, under such terms, what they used. */
export function billedFor(
  terms: UseTerms | undefined,
  price: Amount,
  results: readonly Pick<TaskResult, 'reason' | 'usage'>[],
): Amount {
  const billable = results.filter(({ reason }) => isBillable(reason))
  return billable.reduce((sum, result) => sum + owedForTask(terms, price, result), 0n)
}

/** The part of a task's price that its use is of all it may use: rounded up, above nothing and never above the price. */
function owedForTask(
  terms: UseTerms | undefined,
  price: Amount,
  result: Pick<TaskResult, 'reason' | 'usage'>,
): Amount {
  if (terms === undefined || !isPaidByUse(terms)) return price
  const most = terms.payPer === 'fuel' ? BigInt(terms.fuel) : coreTime(terms)
  const used = terms.payPer === 'fuel' ? fuelUsed(terms, result) : coreTimeUsed(terms, result)
  const counted = used < most ? used : most
  const amount = roundedUp(price * counted, most)
  const least = roundedUp(price * BigInt(LEAST_PAID_PERCENT), 100n)
  return amount > least ? amount : least
}

/** What a task may use, thousandths of a core times ms. */
function coreTime({ cpuMillis, taskTimeoutMs }: UseTerms): bigint {
  return BigInt(cpuMillis) * BigInt(taskTimeoutMs)
}

/** As it was told, and no more than the cores of the task give in its wall time; with less than one it may use one at times. */
function coreTimeUsed({ cpuMillis }: UseTerms, { usage }: Pick<TaskResult, 'usage'>): bigint {
  const told = BigInt(usage.cpuMs) * 1000n
  const possible = BigInt(usage.wallMs) * BigInt(Math.max(1000, cpuMillis))
  return told < possible ? told : possible
}

/** A task that was ended from outside tells no fuel and counts as all of it; one that came to its own end has to tell. */
function fuelUsed(
  { fuel }: UseTerms,
  { reason, usage }: Pick<TaskResult, 'reason' | 'usage'>,
): bigint {
  return BigInt(usage.fuel ?? (reason === 'exit' ? 0 : fuel))
}

/** What a task that is paid by use is priced for: all it may use, as milliseconds of one core, rounded up. */
export function pricedCoreMs(terms: UseTerms): bigint {
  return terms.payPer === 'fuel'
    ? roundedUp(BigInt(terms.fuel) * 1000n, BigInt(FUEL_PER_CORE_SECOND))
    : roundedUp(coreTime(terms), 1000n)
}

function roundedUp(value: bigint, by: bigint): bigint {
  return (value + by - 1n) / by
}
