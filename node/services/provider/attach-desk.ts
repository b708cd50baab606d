import { HiveError } from '../../domain/errors.ts'
import type { Bytes32, PeerId } from '../../domain/ids.ts'
import type { Attach, ExecSession } from '../../ports/attach.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Conversations, Duplex } from '../../ports/conversations.ts'
import type { Logger } from '../../ports/logger.ts'
import type { Sandbox } from '../../ports/sandbox.ts'
import {
  decodeExecInput,
  encodeExecOutput,
  execRequest,
  forwardRequest,
  isPort,
  piecesOf,
} from '../../protocol/attach.ts'
import type { TaskRegister } from '../monitoring/task-register.ts'
import { AttachBudget, type AttachedPlace } from './attach-budget.ts'
import { forwarded } from './forwarding.ts'
import { taskId } from './records.ts'
import type { WorkBook } from './work-book.ts'

export interface AttachDeskParts {
  readonly clock: Clock
  readonly logger: Logger
  readonly lines: Conversations
  readonly works: WorkBook
  readonly running: TaskRegister
  readonly sandboxes: readonly Sandbox[]
}

export interface AttachDeskOptions {
  /** Whether requesters may get inside at all. */
  readonly attach: 'off' | 'on'
}

/** A task that may be entered now. */
interface Entered {
  readonly id: string
  readonly attach: Attach
  /** Aborts when the caller leaves or the task ends. */
  readonly signal: AbortSignal
}

/**
 * Lets requesters into their own tasks while these run. A task that was entered says so in its result, from before
 * anybody is inside.
 */
export class AttachDesk {
  readonly #parts: AttachDeskParts
  readonly #options: AttachDeskOptions
  readonly #budget: AttachBudget

  constructor(parts: AttachDeskParts, options: AttachDeskOptions) {
    this.#parts = parts
    this.#options = options
    this.#budget = new AttachBudget(parts)
  }

  /** Answers from now on. */
  answer(): void {
    const { lines } = this.#parts
    lines.answerDuplex('exec', async (from, request, line, { signal }) =>
      this.#exec(from, request, line, signal),
    )
    lines.answerDuplex('forward', async (from, request, line, { signal }) =>
      this.#forward(from, request, line, signal),
    )
  }

  async #exec(from: PeerId, bytes: Uint8Array, line: Duplex, left: AbortSignal): Promise<void> {
    const { agreement, index, ...program } = execRequest.decode(bytes)
    const { id, attach, signal } = await this.#enter(from, agreement, index, left)
    using place = this.#budget.take(id, 'programs')
    await this.#note(agreement, index, 'exec')
    await using session = await attach.exec(id, program, { signal })
    // nobody is left to hear of it
    const stop = () => void session[Symbol.asyncDispose]().then(undefined, () => undefined)
    left.addEventListener('abort', stop, { once: true })
    if (left.aborted) stop()
    try {
      await line.write(encodeExecOutput({ type: 'started' }))
      const fault = new AbortController()
      void feed(line, session, place).catch((error: unknown) => {
        fault.abort(error)
        stop()
      })
      for await (const { stream, bytes: printed } of session.output) {
        place.count(printed.byteLength)
        for (const piece of piecesOf(printed))
          await line.write(encodeExecOutput({ type: 'output', stream, bytes: piece }))
      }
      fault.signal.throwIfAborted()
      const code = await session.exitCode()
      await line.write(encodeExecOutput({ type: 'exit', code }))
    } finally {
      left.removeEventListener('abort', stop)
    }
  }

  async #forward(from: PeerId, bytes: Uint8Array, line: Duplex, left: AbortSignal): Promise<void> {
    const { agreement, index, port } = forwardRequest.decode(bytes)
    if (!isPort(port)) throw new HiveError('FORWARD_REFUSED', { port })
    const { id, attach, signal } = await this.#enter(from, agreement, index, left)
    using place = this.#budget.take(id, 'connections')
    await this.#note(agreement, index, 'forward')
    await using connection = await attach.connect(id, port, { signal })
    await line.write(new Uint8Array())
    await forwarded({ ...this.#parts, line, connection, place }, signal)
  }

  /**
   * The task, if it is this requester's and may be entered. Throws AGREEMENT_UNKNOWN, ATTACH_DECLINED, TASK_NOT_RUNNING,
   * ATTACH_DETERMINISTIC, ATTACH_UNSUPPORTED.
   */
  async #enter(
    from: PeerId,
    agreement: Bytes32,
    index: number,
    left: AbortSignal,
  ): Promise<Entered> {
    const { works, running, sandboxes } = this.#parts
    const work = await works.get(agreement)
    // a stranger learns no more than of a share that is not there
    if (work === undefined || work.peer !== from || !work.tasks.includes(index))
      throw new HiveError('AGREEMENT_UNKNOWN', { agreement })
    if (this.#options.attach !== 'on') throw new HiveError('ATTACH_DECLINED')
    const id = taskId(agreement, index)
    const life = running.lifeOf(id)
    if (life === undefined) throw new HiveError('TASK_NOT_RUNNING', { task: index })
    if (life.isDeterministic) throw new HiveError('ATTACH_DETERMINISTIC', { task: index })
    const attach = sandboxes.find(({ kind }) => kind === life.kind)?.attach
    if (attach === undefined) throw new HiveError('ATTACH_UNSUPPORTED', { kind: life.kind })
    return { id, attach, signal: AbortSignal.any([left, life.end]) }
  }

  async #note(agreement: Bytes32, index: number, way: string): Promise<void> {
    await this.#parts.works.attached.add(agreement, index)
    this.#parts.logger.info('a requester got inside its task', { agreement, task: index, way })
  }
}

/** What the requester types, until it says no more; its leaving is no end of input. */
async function feed(line: Duplex, session: ExecSession, place: AttachedPlace): Promise<void> {
  for (let frame = await line.read(); frame !== undefined; frame = await line.read()) {
    const input = decodeExecInput(frame)
    if (input.type === 'resize') await session.resize(input)
    else if (input.type === 'input-end') await session.endInput()
    else {
      place.count(input.bytes.byteLength)
      await session.write(input.bytes)
    }
  }
  await session.endInput()
}
