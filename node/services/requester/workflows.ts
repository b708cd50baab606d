import { codeOf, HiveError } from '../../domain/errors.ts'
import type { Bytes32 } from '../../domain/ids.ts'
import { isFinal } from '../../domain/job-state.ts'
import { workflowProblems } from '../../domain/workflow.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Logger } from '../../ports/logger.ts'
import type { Store } from '../../ports/store.ts'
import { randomBytes32 } from '../../protocol/random.ts'
import { allEnded } from '../all-ended.ts'
import { TasksInFlight } from '../tasks-in-flight.ts'
import type { Requester } from './requester.ts'
import { StepRunner } from './step-runner.ts'
import { mostCost, requireBudget } from './workflow-budget.ts'
import { WorkflowBook } from './workflow-book.ts'
import type { WorkflowRecord, WorkflowRequest } from './workflow-records.ts'

export interface WorkflowsParts {
  readonly clock: Clock
  readonly logger: Logger
  readonly store: Store
  readonly requester: Requester
}

/** Runs workflows: each step a job of its own, begun as soon as what it needs has settled. */
export class Workflows implements AsyncDisposable {
  readonly book: WorkflowBook
  readonly #parts: WorkflowsParts
  readonly #steps: StepRunner
  readonly #stop = new AbortController()
  readonly #running = new Map<Bytes32, AbortController>()
  readonly #work = new TasksInFlight()

  constructor(parts: WorkflowsParts) {
    this.#parts = parts
    this.book = new WorkflowBook(parts.store)
    this.#steps = new StepRunner({ ...parts, workflows: this.book })
  }

  /** Takes up every workflow that is not over where it stood; after the requester has taken up its jobs. */
  async resume(): Promise<void> {
    const open = (await this.book.list()).filter(({ state }) => state === 'running')
    const ids = new Set(open.map(({ id }) => id))
    const { requester, logger } = this.#parts
    // A node that was killed while it cancelled a workflow has not told all of its jobs.
    for (const { id, state, origin, ending } of await requester.book.list())
      if (origin !== undefined && !ids.has(origin.workflow) && !isFinal(state) && !ending)
        this.#work.start(
          async () => void (await requester.cancel(id, this.#stop.signal)),
          (error) => logger.warn('job not cancelled', { job: id, code: codeOf(error) }),
        )
    for (const each of open) this.#start(each)
  }

  /**
   * Puts a workflow on record and starts it. Throws `INPUT_INVALID` with every problem and its path,
   * or `WORKFLOW_BUDGET`, before any step is announced.
   */
  async submit(request: WorkflowRequest): Promise<WorkflowRecord> {
    const plans = request.steps.map((step) => ({ ...step, spec: step.request.spec }))
    const problems = workflowProblems(plans).map(({ path, text }) => `${path}: ${text}`)
    for (const { name, request: job } of request.steps)
      if (job.spec.secrets !== undefined)
        problems.push(`steps.${name}.secrets: steps of a workflow have none`)
    if (problems.length > 0) throw new HiveError('INPUT_INVALID', { problems })
    const { budget, steps } = request
    // What a step that is mapped costs shows when it starts; one task of it is the least.
    const known = steps.reduce((sum, step) => sum + mostCost(step.request), 0n)
    if (budget !== undefined) requireBudget('all', known, budget, 0n)
    const workflow: WorkflowRecord = {
      id: randomBytes32(),
      state: 'running',
      request,
      steps: steps.map(({ name }) => ({ name, state: 'waiting' })),
      createdAt: this.#parts.clock.now(),
    }
    await this.book.add(workflow)
    this.#start(workflow)
    return workflow
  }

  /** Stops a workflow and the jobs of its steps; tasks that were paid stay paid. Throws `JOB_UNKNOWN`. */
  async cancel(idOrStart: string): Promise<WorkflowRecord> {
    const { id } = await this.book.find(idOrStart)
    const workflow = await this.book.change(id, (each) =>
      each.state === 'running' ? this.#cancelled(each) : each,
    )
    this.#running.get(id)?.abort(new HiveError('JOB_CANCELLED', { id }))
    const { book } = this.#parts.requester
    const open = (await book.list()).filter(
      ({ origin, state }) => origin?.workflow === id && !isFinal(state),
    )
    await allEnded(open.map(async (job) => this.#parts.requester.cancel(job.id, this.#stop.signal)))
    return workflow
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new HiveError('CANCELLED'))
    await this.#work.settled()
  }

  #start(workflow: WorkflowRecord): void {
    const { id } = workflow
    const control = new AbortController()
    const signal = AbortSignal.any([this.#stop.signal, control.signal])
    this.#running.set(id, control)
    this.#work.start(
      async () => this.#run(workflow, signal).finally(() => this.#running.delete(id)),
      (error) => {
        // Stopping the node leaves the workflow as it is; a cancelled one has ended.
        if (signal.aborted) return
        this.#parts.logger.error('workflow stopped', { workflow: id, code: codeOf(error) })
      },
    )
  }

  async #run(workflow: WorkflowRecord, signal: AbortSignal): Promise<void> {
    await this.#steps.runAll(workflow, signal)
    await this.book.change(workflow.id, (each) => {
      if (each.state !== 'running') return each
      const finishedAt = this.#parts.clock.now()
      const bad = each.steps.filter(({ state }) => state !== 'settled')
      if (bad.length === 0) return { ...each, state: 'settled', finishedAt }
      const { totalMs = Infinity } = each.request
      const isLate = finishedAt >= each.createdAt + totalMs
      const code = isLate ? 'JOB_TIMEOUT' : 'WORKFLOW_FAILED'
      const names = bad.map(({ name, state }) => `${name} ${state}`)
      const data = { ...(isLate && { totalMs }), steps: names }
      return { ...each, state: 'failed', finishedAt, error: { code, data } }
    })
  }

  #cancelled(workflow: WorkflowRecord): WorkflowRecord {
    const isOver = (state: string) => state !== 'waiting' && state !== 'running'
    return {
      ...workflow,
      state: 'cancelled',
      finishedAt: this.#parts.clock.now(),
      error: { code: 'JOB_CANCELLED', data: {} },
      steps: workflow.steps.map((step) =>
        isOver(step.state) ? step : { ...step, state: 'cancelled' },
      ),
    }
  }
}
