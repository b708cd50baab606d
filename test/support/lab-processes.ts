import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { systemClock } from '../../node/adapters/system/system-clock.ts'
import { type Child, startChild } from '../../scripts/devnet/child.ts'
import type { LabOptions, ReachPlan, ReachQuestion, ReachState } from './reach-process.ts'
import type { Forwarded, RouterPlan } from './router-process.ts'

/** How long a process may take to start, and anything asked of one to come true, ms. */
const PATIENCE_MS = 60_000
const LOOK_EVERY_MS = 100

/** A process of a lab that answers one question at a time. */
export class LabProcess<Question, State> implements AsyncDisposable {
  readonly #child: Child<State>

  constructor(child: Child<State>) {
    this.#child = child
  }

  /** What it said when it was ready. */
  get ready(): State {
    return this.#child.ready
  }

  /** Asks it, and says how it is then. */
  async ask(question: Question): Promise<State> {
    const answer = once(this.#child.process, 'message', {
      signal: AbortSignal.timeout(PATIENCE_MS),
    })
    this.#child.process.send(question as object)
    const [state] = (await answer) as [State | { readonly failed: string }]
    if (typeof state === 'object' && state !== null && 'failed' in state)
      throw new Error(state.failed)
    return state as State
  }

  /** Resolves with its state once that is as it should be; rejects with the last one when patience ends. */
  async until(question: Question, holds: (state: State) => boolean): Promise<State> {
    const signal = AbortSignal.timeout(PATIENCE_MS)
    for (;;) {
      const state = await this.ask(question)
      if (holds(state)) return state
      if (signal.aborted) throw new Error(`not in time: ${JSON.stringify(state)}`)
      await systemClock.sleep(LOOK_EVERY_MS, signal).catch(() => undefined) // the deadline: one last look
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child[Symbol.asyncDispose]()
  }
}

/** A node of a lab. */
export type LabNode = LabProcess<ReachQuestion, ReachState>

/** Starts a node in one of a lab's networks. */
export async function startLabNode(
  place: { readonly through: readonly string[]; readonly logFile: string },
  options: LabOptions,
): Promise<LabNode> {
  const plan: ReachPlan = {
    key: randomBytes(32).toString('hex'),
    options,
  }
  return new LabProcess(await start<ReachState>('reach-process', place, plan))
}

/** Gives a lab's router a UPnP side. */
export async function startLabRouter(
  place: { readonly through: readonly string[]; readonly logFile: string },
  plan: RouterPlan,
): Promise<LabProcess<object, readonly Forwarded[]>> {
  return new LabProcess(await start<readonly Forwarded[]>('router-process', place, plan))
}

async function start<State>(
  program: string,
  place: { readonly through: readonly string[]; readonly logFile: string },
  plan: object,
): Promise<Child<State>> {
  return startChild<State>(`test/support/${program}.ts`, {
    ...place,
    args: [JSON.stringify(plan)],
    signal: AbortSignal.timeout(PATIENCE_MS),
  })
}
