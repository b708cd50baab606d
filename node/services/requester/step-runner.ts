import { codeOf, HiveError } from '../../domain/errors.ts'
import type { Bytes32 } from '../../domain/ids.ts'
import type { TaskResult } from '../../domain/receipt.ts'
import { specOfStep, type StepMade } from '../../domain/step-inputs.ts'
import { needsOf, type StepState } from '../../domain/workflow.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Logger } from '../../ports/logger.ts'
import { decodeJobSpec, encodeJobSpec } from '../../protocol/job-spec-codec.ts'
import { allEnded } from '../all-ended.ts'
import type { JobRecord, JobRequest } from './records.ts'
import type { Requester } from './requester.ts'
import type { WorkflowBook } from './workflow-book.ts'
import { mostCost } from './workflow-budget.ts'
import type { StepRecord, WorkflowRecord, WorkflowStep } from './workflow-records.ts'

export interface StepRunnerParts {
  readonly clock: Clock
  readonly logger: Logger
  readonly requester: Requester
  readonly workflows: WorkflowBook
}

/** Brings the steps of workflows to their end, each as soon as those that it needs have settled. */
export class StepRunner {
  readonly #parts: StepRunnerParts

  constructor(parts: StepRunnerParts) {
    this.#parts = parts
  }

  /** Resolves when every step has ended or is skipped. Throws the signal's reason. */
  async runAll(workflow: WorkflowRecord, signal: AbortSignal): Promise<void> {
    const steps = new Map(workflow.request.steps.map((step) => [step.name, step]))
    const ends = new Map<string, Promise<StepState>>()
    // In no order but that of their needs, of which it is known that they go in no circle.
    const end = async (name: string): Promise<StepState> => {
      const step = steps.get(name)
      if (step === undefined) throw new HiveError('INTERNAL', { name })
      const under = ends.get(name) ?? this.#step(workflow.id, step, end, signal)
      ends.set(name, under)
      return under
    }
    await allEnded([...steps.keys()].map(end))
  }

  async #step(
    id: Bytes32,
    step: WorkflowStep,
    end: (name: string) => Promise<StepState>,
    signal: AbortSignal,
  ): Promise<StepState> {
    const { workflows, logger } = this.#parts
    const needs = needsOf(step)
    const states = await allEnded(needs.map(end))
    const workflow = await workflows.get(id)
    const known = workflow.steps.find(({ name }) => name === step.name)
    if (known !== undefined && known.state !== 'waiting' && known.state !== 'running')
      return known.state
    signal.throwIfAborted()
    const bad = needs.find((_, at) => states[at] !== 'settled')
    if (bad !== undefined)
      return this.#end(
        id,
        step.name,
        'skipped',
        errorOf(new HiveError('STEP_SKIPPED', { needs: bad })),
      )
    let job: JobRecord
    try {
      // What a step may cost counts before the next one looks at the budget.
      job = await this.#parts.requester.budgets.inTurn(id, async () =>
        this.#job(workflow, step, signal),
      )
    } catch (error) {
      if (signal.aborted) throw error
      logger.warn('step not started', { workflow: id, step: step.name, code: codeOf(error) })
      return this.#end(id, step.name, 'failed', errorOf(error))
    }
    // Cancelled while it was being submitted: nobody else knows of it yet.
    if (codeOf(signal.reason) === 'JOB_CANCELLED')
      await this.#parts.requester.cancel(job.id, signal)
    await workflows.changeStep(id, step.name, { state: 'running', job: job.id })
    const ended = await this.#parts.requester.book.ended(job.id, signal)
    signal.throwIfAborted()
    if (ended.state === 'cancelled') return this.#end(id, step.name, 'cancelled', ended.error)
    const error = ended.error ?? tasksError(ended)
    return this.#end(id, step.name, error === undefined ? 'settled' : 'failed', error)
  }

  async #end(
    id: Bytes32,
    name: string,
    state: StepState,
    error: StepRecord['error'],
  ): Promise<StepState> {
    const change = { state, ...(error !== undefined && { error }) }
    await this.#parts.workflows.changeStep(id, name, change)
    return state
  }

  /** The step's job: the one on record, or a new one of what the steps before it made. */
  async #job(
    { id, request, createdAt }: WorkflowRecord,
    step: WorkflowStep,
    signal: AbortSignal,
  ): Promise<JobRecord> {
    const { requester, clock } = this.#parts
    // A node that was killed between the job's record and the step's must not start it twice.
    const jobs = (await requester.book.list()).filter(({ origin }) => origin?.workflow === id)
    const found = jobs.find(({ origin }) => origin?.step === step.name)
    if (found !== undefined) return found
    const made = new Map(
      jobs.flatMap((job) => (job.origin === undefined ? [] : [[job.origin.step, madeBy(job)]])),
    )
    const spec = specOfStep({ ...step, spec: step.request.spec }, made)
    decodeJobSpec(encodeJobSpec(spec)) // what providers will decode must decode here first
    const left =
      request.totalMs === undefined ? undefined : createdAt + request.totalMs - clock.now()
    if (left !== undefined && left <= 0)
      throw new HiveError('JOB_TIMEOUT', { totalMs: request.totalMs ?? 0 })
    const job = withinTotal({ ...step.request, spec }, left)
    await requester.budgets.require(id, step.name, mostCost(job))
    return requester.submit(job, signal, new Map(), { workflow: id, step: step.name })
  }
}

function madeBy({ request, results }: JobRecord): StepMade {
  return { spec: request.spec, results: results.filter((result) => result !== null) }
}

function withinTotal(request: JobRequest, left: number | undefined): JobRequest {
  if (left === undefined) return request
  const { totalMs = left } = request.timeouts ?? {}
  return { ...request, timeouts: { ...request.timeouts, totalMs: Math.min(left, totalMs) } }
}

/** What makes a step fail though its job has settled: nothing is handed on from a task that failed. */
function tasksError({ results }: JobRecord): StepRecord['error'] {
  const isBad = (each: TaskResult | null) => each?.reason !== 'exit' || each.exitCode !== 0
  const bad = results.flatMap((result, index) => (isBad(result) ? [index] : []))
  if (bad.length === 0) return undefined
  return { code: 'STEP_FAILED', data: { tasks: bad.slice(0, 20).map(String), failed: bad.length } }
}

function errorOf(error: unknown): NonNullable<StepRecord['error']> {
  return { code: codeOf(error), data: error instanceof HiveError ? error.data : {} }
}
