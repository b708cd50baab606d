import { HiveError } from '../../domain/errors.ts'
import type { Amount } from '../../domain/money.ts'
import { isBillable, END_REASONS } from '../../domain/receipt.ts'
import type { JobRequest } from './records.ts'

const PAID_ENDS: ReadonlySet<string | number> = new Set(END_REASONS.filter(isBillable))

/** Most that a job can cost: each run of a task that its policy runs again may have to be paid for. */
export function mostCost({ spec, maxPrice, attempts, retry }: JobRequest): Amount {
  const paysAgain = retry?.on.some(
    (end) => typeof end === 'number' || end === 'nonzero' || PAID_ENDS.has(end),
  )
  return maxPrice * BigInt(spec.tasks) * BigInt(paysAgain === true ? attempts : 1)
}

/** Throws `WORKFLOW_BUDGET` when a step could cost more than is left. */
export function requireBudget(step: string, needed: Amount, budget: Amount, spent: Amount): void {
  if (spent + needed > budget)
    throw new HiveError('WORKFLOW_BUDGET', { step, needed, budget, spent })
}
