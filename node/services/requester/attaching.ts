import { HiveError } from '../../domain/errors.ts'
import type { Bytes32 } from '../../domain/ids.ts'
import { isFinal } from '../../domain/job-state.ts'
import type { Conversations, OpenDuplex } from '../../ports/conversations.ts'
import { execRequest, forwardRequest, isPort, type ExecRequest } from '../../protocol/attach.ts'
import type { JobBook } from './job-book.ts'
import type { JobRecord, ShareRecord } from './records.ts'

export interface AttachingParts {
  readonly book: JobBook
  readonly lines: Conversations
}

/** Which task of a job; of a job with a single one it goes without saying. */
export interface TaskOfJob {
  /** An id, or a unique start of one. */
  readonly job: string
  readonly task?: number | undefined
}

/** Gets inside running tasks of this node's jobs, at their providers. */
export class Attaching {
  readonly #parts: AttachingParts

  constructor(parts: AttachingParts) {
    this.#parts = parts
  }

  /**
   * Has a program run inside a task; the line carries the frames of protocol/attach.ts. Throws JOB_UNKNOWN,
   * INPUT_INVALID, TASK_NOT_RUNNING, ATTACH_DETERMINISTIC, ATTACH_UNSUPPORTED and what `open` of the lines throws;
   * what the provider says comes from the line.
   */
  async exec(
    which: TaskOfJob,
    program: Omit<ExecRequest, 'agreement' | 'index'>,
    signal: AbortSignal,
  ): Promise<OpenDuplex> {
    const { share, index } = await this.#find(which)
    const request = execRequest.encode({ agreement: share.id, index, ...program })
    return this.#parts.lines.open(share.peer, 'exec', request, { signal })
  }

  /** Connects to a port inside a task; its first frame is empty, then the frames are the bytes. Throws as `exec` does. */
  async forward(which: TaskOfJob, port: number, signal: AbortSignal): Promise<OpenDuplex> {
    if (!isPort(port)) throw new HiveError('INPUT_INVALID', { problems: ['port: 1 to 65535'] })
    const { share, index } = await this.#find(which)
    const request = forwardRequest.encode({ agreement: share.id, index, port })
    return this.#parts.lines.open(share.peer, 'forward', request, { signal })
  }

  async #find({ job: id, task }: TaskOfJob): Promise<{ share: ShareRecord; index: number }> {
    const job = await this.#parts.book.find(id)
    const { spec } = job.request
    if (spec.deterministic === true) throw new HiveError('ATTACH_DETERMINISTIC', { job: job.id })
    if (spec.kind !== 'docker') throw new HiveError('ATTACH_UNSUPPORTED', { kind: spec.kind })
    const index = task ?? onlyTask(job)
    const share = await this.#shareOf(job, index)
    if (share === undefined) throw new HiveError('TASK_NOT_RUNNING', { job: job.id, task: index })
    return { share, index }
  }

  async #shareOf(job: JobRecord, index: number): Promise<ShareRecord | undefined> {
    const shares = await this.#parts.book.sharesOf(job)
    return shares.findLast(({ state, tasks }) => !isFinal(state) && tasks.includes(index))
  }
}

function onlyTask({ id, request }: { id: Bytes32; request: JobRecord['request'] }): number {
  if (request.spec.tasks === 1) return 0
  const problems = [`say which of its ${request.spec.tasks} tasks: ${id.slice(0, 10)}/0`]
  throw new HiveError('INPUT_INVALID', { problems })
}
