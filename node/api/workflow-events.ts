import type { Bytes32 } from '../domain/ids.ts'
import type { JobBook } from '../services/requester/job-book.ts'
import type { WorkflowBook } from '../services/requester/workflow-book.ts'
import type { WorkflowBody } from './schemas/workflows.ts'
import { workflowView } from './views/workflow-view.ts'

/** A workflow as it is now, and again after each change of it or of a job of its, until it is over. */
export async function* workflowEvents(
  workflows: WorkflowBook,
  jobs: JobBook,
  id: Bytes32,
  signal: AbortSignal,
): AsyncGenerator<WorkflowBody> {
  // Read after subscribing, so that nothing falls between the two.
  const changes = new Changes()
  const leave = new AbortController()
  const ends = AbortSignal.any([signal, leave.signal])
  const watching = [
    changes.on(workflows.updates.subscribe(ends), (each) => each.id === id),
    changes.on(
      jobs.updates.subscribe(ends),
      (each) => each.type === 'job' && each.job.origin?.workflow === id,
    ),
  ]
  try {
    while (!signal.aborted) {
      changes.take()
      const workflow = await workflows.get(id)
      yield await workflowView(workflow, jobs)
      if (workflow.state !== 'running') return
      await changes.next(ends)
    }
  } finally {
    leave.abort()
    await Promise.all(watching)
  }
}

/** Many changes at once are one reason to look again. */
class Changes {
  #changed = Promise.withResolvers<void>()

  async on<T>(events: AsyncIterable<T>, matters: (event: T) => boolean): Promise<void> {
    for await (const event of events) if (matters(event)) this.#changed.resolve()
    this.#changed.resolve()
  }

  take(): void {
    this.#changed = Promise.withResolvers<void>()
  }

  async next(signal: AbortSignal): Promise<void> {
    if (!signal.aborted) await this.#changed.promise
  }
}
