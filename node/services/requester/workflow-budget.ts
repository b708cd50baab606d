import { HiveError } from '../../domain/errors.ts'
import type { Bytes32 } from '../../domain/ids.ts'
import { isFinal } from '../../domain/job-state.ts'
import type { Amount } from '../../domain/money.ts'
import { isBillable, END_REASONS } from '../../domain/receipt.ts'
import { second } from '../../domain/units.ts'
import { KeyedLock } from '../keyed-lock.ts'
import type { JobBook } from './job-book.ts'
import type { JobRecord, JobRequest } from './records.ts'
import type { WorkflowBook } from './workflow-book.ts'

const PAID_ENDS: ReadonlySet<string | number> = new Set(END_REASONS.filter(isBillable))

/**
 * Most that a job can cost: each run of a task that its policy runs again may have to be paid for, each second of a service's
 * time, and never more than its own budget.
 */
export function mostCost({ spec, maxPrice, attempts, retry, budget }: JobRequest): Amount {
  const paysAgain = retry?.on.some(
    (end) => typeof end === 'number' || end === 'nonzero' || PAID_ENDS.has(end),
  )
  const runs = BigInt(spec.tasks) * BigInt(paysAgain === true ? attempts : 1)
  const seconds = spec.service === undefined ? 1 : Math.ceil(spec.timeoutMs / second)
  const most = maxPrice * runs * BigInt(seconds)
  return budget !== undefined && budget < most ? budget : most
}

/** Throws `WORKFLOW_BUDGET` when a step could cost more than is left. */
export function requireBudget(step: string, needed: Amount, budget: Amount, spent: Amount): void {
  if (spent + needed > budget)
    throw new HiveError('WORKFLOW_BUDGET', { step, needed, budget, spent })
}

/** What the jobs of workflows may cost together. Whoever lets one of them cost something does that in turn. */
export class WorkflowBudgets {
  readonly #parts: { readonly book: JobBook; readonly workflows: Pick<WorkflowBook, 'get'> }
  readonly #lock = new KeyedLock()

  constructor(parts: { readonly book: JobBook; readonly workflows: Pick<WorkflowBook, 'get'> }) {
    this.#parts = parts
  }

  /** Runs `work` while nothing else lets a job of the workflow cost more. */
  async inTurn<T>(workflow: Bytes32, work: () => Promise<T>): Promise<T> {
    return this.#lock.run(workflow, work)
  }

  /**
   * Throws `WORKFLOW_BUDGET` when a step that could cost `needed` does not fit beside what the workflow's other jobs have
   * cost and could cost. `own` is the step's job where it has one.
   */
  async require(workflow: Bytes32, step: string, needed: Amount, own?: Bytes32): Promise<void> {
    const { book, workflows } = this.#parts
    const { budget } = (await workflows.get(workflow)).request
    if (budget === undefined) return
    const jobs = (await book.list()).filter(
      ({ id, origin }) => origin?.workflow === workflow && id !== own,
    )
    const costs = await Promise.all(jobs.map(async (each) => this.#costOf(each)))
    const spent = costs.reduce((sum, each) => sum + each, 0n)
    requireBudget(step, needed, budget, spent)
  }

  /** What a job has cost; while it is under way, what it may cost. */
  async #costOf(job: JobRecord): Promise<Amount> {
    if (!isFinal(job.state)) return mostCost(job.request)
    const shares = await this.#parts.book.sharesOf(job)
    return shares.reduce((sum, { amount }) => sum + (amount ?? 0n), 0n)
  }
}
