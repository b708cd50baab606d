import { HiveError } from '../../domain/errors.ts'
import type { Bytes32 } from '../../domain/ids.ts'
import type { Store } from '../../ports/store.ts'
import { Feed } from '../feed.ts'
import { KeyedLock } from '../keyed-lock.ts'
import { Table } from '../table.ts'
import type { StepRecord, WorkflowRecord } from './workflow-records.ts'

/** The one writer of the history of workflows: durable first, then visible. */
export class WorkflowBook {
  /** Each workflow as it is after a change. */
  readonly updates = new Feed<WorkflowRecord>()
  readonly #table: Table<WorkflowRecord>
  readonly #lock = new KeyedLock()

  constructor(store: Store) {
    this.#table = new Table(store, 'workflow/')
  }

  /** All workflows, the newest first. */
  async list(): Promise<WorkflowRecord[]> {
    const all: WorkflowRecord[] = []
    for await (const each of this.#table.all()) all.push(each)
    return all.sort((a, b) => b.createdAt - a.createdAt)
  }

  /** The workflow with exactly this id. Throws `JOB_UNKNOWN`. */
  async get(id: Bytes32): Promise<WorkflowRecord> {
    const found = await this.#table.get(id)
    if (found === undefined) throw new HiveError('JOB_UNKNOWN', { id })
    return found
  }

  /** The workflow with this id, or whose id starts so when only one does. Throws `JOB_UNKNOWN`. */
  async find(idOrStart: string): Promise<WorkflowRecord> {
    const found: WorkflowRecord[] = []
    if (/^0x[0-9a-f]{2,64}$/.test(idOrStart))
      for await (const each of this.#table.all(idOrStart)) found.push(each)
    const [workflow, ...others] = found
    if (workflow === undefined || others.length > 0)
      throw new HiveError('JOB_UNKNOWN', { id: idOrStart.slice(0, 80), matches: found.length })
    return workflow
  }

  async add(workflow: WorkflowRecord): Promise<void> {
    await this.#table.put(workflow.id, workflow)
    this.updates.publish(workflow)
  }

  /** Changes a workflow; concurrent changes of one happen one after another. */
  async change(
    id: Bytes32,
    edit: (workflow: WorkflowRecord) => WorkflowRecord,
  ): Promise<WorkflowRecord> {
    return this.#lock.run(id, async () => {
      const before = await this.get(id)
      const after = edit(before)
      if (after === before) return after
      await this.add(after)
      return after
    })
  }

  /** Changes one step of a workflow that is not over. */
  async changeStep(
    id: Bytes32,
    name: string,
    change: Omit<StepRecord, 'name'>,
  ): Promise<WorkflowRecord> {
    return this.change(id, (each) =>
      each.state !== 'running'
        ? each
        : {
            ...each,
            steps: each.steps.map((step) => (step.name === name ? { ...step, ...change } : step)),
          },
    )
  }
}
