import { Worker } from 'node:worker_threads'
import type { TaskUse } from '../../../domain/machine-sample.ts'
import type { EndReason } from '../../../domain/receipt.ts'
import type { FromWorker, GuestResult, ToWorker } from './messages.ts'
import { OutputRing, type OutputChunk } from './output-ring.ts'

/** How often output under way is passed on, ms; far below what a person notices. */
const DRAIN_MS = 25
/**
 * Heap of one thread, MiB: the file tree's names live there, and the tables of the module; the guest's
 * memory and files do not. With half of it a 58 MB module spends ten times its run in the collector.
 */
const HEAP_MIB = 256
/**
 * Stack of one thread, MiB: eight times what `MAX_STACK_SLOTS` says, for the engine's frames are not
 * the slots that are counted.
 */
const STACK_MIB = 64
/** How long a busy thread may take to tell its processor time before it is killed, ms. */
const CPU_ANSWER_MS = 250
/** How long a killed thread may take to end before its task is answered without it, ms. */
const KILL_ANSWER_MS = 300

/** Shortest time between two questions for the processor time, ms. */
const CPU_ASK_MS = 20
/** Thousandths of a core in a whole one. */
const CORE_MILLIS = 1000

/** Longest timer of Node; a longer one would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1

/** Takes what a guest has printed and calls back when it would take more. */
export type PassOn = (chunks: readonly OutputChunk[], taken: () => void) => void

/** One run under way on a slot. */
interface Running {
  readonly startedAt: number
  readonly wall: NodeJS.Timeout
  /** Due when the task may have used its processor time. */
  cpu: NodeJS.Timeout | undefined
  readonly onOutput: PassOn
  readonly onEnd: (result: GuestResult) => void
  drain: NodeJS.Timeout | undefined
  /** Output was passed on and is not taken yet; `full`: and the guest waits for room. */
  passing: 'no' | 'yes' | 'full'
  /** Why it is being killed, if it is. */
  killed: { readonly reason: EndReason; readonly detail: string } | undefined
}

/** A worker thread for one guest at a time; killed with a guest that must end, and then of no more use. */
export class Slot {
  readonly #ring = new OutputRing()
  readonly #worker: Worker
  #cpuMs = 0
  #ready = false
  #running: Running | undefined
  #dead = false
  /** Resolves when the thread is gone. */
  readonly gone: Promise<void>

  /** `onReady` is called once, when the first task may be given. */
  constructor(onReady: () => void) {
    this.#worker = new Worker(new URL('./worker.ts', import.meta.url), {
      workerData: this.#ring.shared,
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MIB, stackSizeMb: STACK_MIB },
      env: {},
      stdin: false,
      stdout: true,
      stderr: true,
    })
    this.gone = new Promise((resolve) => {
      this.#worker.once('exit', () => {
        this.#dead = true
        this.#answer('start-failed', 'the thread of the task ended')
        resolve()
      })
    })
    this.#worker.on('message', (message: FromWorker) => {
      if (message === 'output') this.#passOn()
      else if (message === 'ready') {
        this.#ready = true
        onReady()
      } else this.#finish(message)
    })
    // A full heap is the guest's doing: its names and descriptors are all that fills it.
    this.#worker.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ERR_WORKER_OUT_OF_MEMORY') this.#answer('oom', 'too many files or names')
      else this.#answer('start-failed', error.message)
    })
  }

  /** Whether the thread ever could take a task. */
  get started(): boolean {
    return this.#ready
  }

  /** Whether the thread was killed or is being killed. */
  get dead(): boolean {
    return this.#dead
  }

  /** Whether another task may be given. */
  get free(): boolean {
    return this.#ready && !this.#dead && this.#running === undefined
  }

  start(message: ToWorker, onOutput: PassOn, onEnd: (result: GuestResult) => void): void {
    const { wallMs } = message.task.limits
    const wall = setTimeout(
      () => {
        void this.end('timeout', `it ran for ${wallMs} ms`)
      },
      Math.min(wallMs, MAX_TIMER_MS),
    )
    this.#running = {
      startedAt: performance.now(),
      wall,
      cpu: undefined,
      onOutput,
      onEnd,
      drain: undefined,
      passing: 'no',
      killed: undefined,
    }
    this.#worker.postMessage(message)
    const { cpuMillis } = message.task.limits
    if (cpuMillis < CORE_MILLIS) this.#watchCpu(this.#running, (wallMs * cpuMillis) / CORE_MILLIS)
  }

  /** What the task under way has used so far. */
  async usage(): Promise<TaskUse | undefined> {
    const running = this.#running
    if (running === undefined || this.#dead) return undefined
    await within(this.#askCpu(), CPU_ANSWER_MS)
    if (this.#running !== running) return undefined
    const cpuMs = Math.max(0, this.#cpuMs - this.#ring.cpuBeforeMs)
    return { cpuMs, memoryBytes: this.#ring.peakBytes }
  }

  /** Kills the thread, and the task with it. Resolves when the task is answered. */
  async end(reason: EndReason, detail: string): Promise<void> {
    const running = this.#running
    if (running === undefined || running.killed) return
    running.killed = { reason, detail }
    this.#dead = true
    await within(this.#askCpu(), CPU_ANSWER_MS)
    // A thread inside the compiler ends only when that function is compiled; nobody waits for it.
    await within(this.#worker.terminate(), KILL_ANSWER_MS)
    this.#answer(reason, detail)
  }

  /** Ends the thread. */
  async close(): Promise<void> {
    this.#dead = true
    await this.#worker.terminate()
  }

  // A thread cannot be held back to a part of a core. So such a part is of the wall time, and what a
  // task has used of it is asked when it can at the earliest be all.
  #watchCpu(running: Running, budgetMs: number, usedMs = 0): void {
    const check = async () => {
      await within(this.#askCpu(), CPU_ANSWER_MS)
      if (this.#running !== running) return
      const used = Math.max(0, this.#cpuMs - this.#ring.cpuBeforeMs)
      if (used < budgetMs) this.#watchCpu(running, budgetMs, used)
      else await this.end('timeout', `it used ${Math.ceil(budgetMs)} ms of processor time`)
    }
    const ms = Math.max(CPU_ASK_MS, Math.ceil(budgetMs - usedMs))
    running.cpu = setTimeout(() => void check(), Math.min(ms, MAX_TIMER_MS))
  }

  async #askCpu(): Promise<void> {
    const { user, system } = await this.#worker.cpuUsage()
    this.#cpuMs = (user + system) / 1000
  }

  #finish(ended: Exclude<FromWorker, string>): void {
    const running = this.#running
    if (running === undefined || running.killed) return
    this.#settle(running, { ...ended, wallMs: performance.now() - running.startedAt })
  }

  #answer(reason: EndReason, detail: string): void {
    const running = this.#running
    if (running === undefined) return
    this.#dead = true
    this.#settle(running, {
      ...(running.killed ?? { reason, detail }),
      exitCode: -1,
      files: [],
      wallMs: performance.now() - running.startedAt,
      cpuMs: Math.max(0, this.#cpuMs - this.#ring.cpuBeforeMs),
      peakMemoryBytes: this.#ring.peakBytes,
    })
  }

  #settle(running: Running, result: GuestResult): void {
    clearTimeout(running.wall)
    clearTimeout(running.cpu)
    clearTimeout(running.drain)
    this.#running = undefined
    this.#ring.rest()
    const rest = this.#ring.drain()
    if (rest.length > 0) running.onOutput(rest, () => {})
    running.onEnd(result)
  }

  // The first output of a burst goes on at once; what follows is looked for at intervals until there is none. While
  // what was passed on is not taken, nothing more is: the ring fills, and the guest waits.
  #passOn(): void {
    const running = this.#running
    if (running === undefined) return
    if (running.passing !== 'no') {
      running.passing = 'full'
      return
    }
    clearTimeout(running.drain)
    running.drain = undefined
    let found = this.#ring.drain()
    if (found.length === 0) {
      this.#ring.rest()
      found = this.#ring.drain()
    }
    if (found.length === 0) return
    running.passing = 'yes'
    running.onOutput(found, () => {
      const isFull = running.passing === 'full'
      running.passing = 'no'
      if (this.#running !== running) return
      if (isFull) this.#passOn()
      else running.drain = setTimeout(() => this.#passOn(), DRAIN_MS)
    })
  }
}

async function within(work: Promise<unknown>, ms: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, ms)
  // A thread that is already gone answers with a rejection, which says as much as silence.
  work.then(
    () => {
      resolve()
    },
    () => {
      resolve()
    },
  )
  await promise
  clearTimeout(timer)
}
