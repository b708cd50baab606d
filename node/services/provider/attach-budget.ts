import { HiveError } from '../../domain/errors.ts'
import { GiB, minute } from '../../domain/units.ts'
import type { TaskRegister } from '../monitoring/task-register.ts'

/** Programs of its requester that run inside one task at a time, beside its own. */
export const MAX_ATTACHED_PROGRAMS = 8
/** Connections into one task at a time; a browser opens some six to a server. */
export const MAX_ATTACHED_CONNECTIONS = 32
/** Bytes that go in and out of one task by all its programs and connections, in its whole life. */
export const MAX_ATTACHED_BYTES: number = 4 * GiB
/** How long a connection into a task may be without a byte, ms. */
export const ATTACHED_IDLE_MS: number = 10 * minute

/** What there may be of at a time. */
const MOST = { programs: MAX_ATTACHED_PROGRAMS, connections: MAX_ATTACHED_CONNECTIONS }

/** A place inside a task. Disposal gives it back. */
export interface AttachedPlace extends Disposable {
  /** Throws ATTACH_LIMIT once the task's bytes are used up. */
  count(bytes: number): void
}

/** What goes in and out of the tasks that run. */
export class AttachBudget {
  readonly #running: Pick<TaskRegister, 'lifeOf'>
  readonly #used = new Map<string, { programs: number; connections: number; bytes: number }>()

  constructor(parts: { readonly running: Pick<TaskRegister, 'lifeOf'> }) {
    this.#running = parts.running
  }

  /** Throws ATTACH_LIMIT when as many are taken as there may be. */
  take(task: string, what: keyof typeof MOST): AttachedPlace {
    for (const id of this.#used.keys())
      if (this.#running.lifeOf(id) === undefined) this.#used.delete(id)
    const used = this.#used.get(task) ?? { programs: 0, connections: 0, bytes: 0 }
    this.#used.set(task, used)
    if (used[what] >= MOST[what]) throw new HiveError('ATTACH_LIMIT', { what, most: MOST[what] })
    used[what]++
    return {
      count: (bytes) => {
        used.bytes += bytes
        if (used.bytes > MAX_ATTACHED_BYTES)
          throw new HiveError('ATTACH_LIMIT', { what: 'bytes', most: MAX_ATTACHED_BYTES })
      },
      [Symbol.dispose]: () => {
        used[what]--
      },
    }
  }
}
