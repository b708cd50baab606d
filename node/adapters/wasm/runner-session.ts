import { codeOf, HiveError } from '../../domain/errors.ts'
import type { TaskUse } from '../../domain/machine-sample.ts'
import type { SandboxImage } from '../../ports/sandbox.ts'
import { MAX_IMAGE_BYTES } from '../../protocol/limits.ts'
import { ModuleShelf } from './module-shelf.ts'
import type { FromRunner, GuestResult, GuestTask, ModuleForm } from './runner/messages.ts'
import { unpackOutput } from './runner/packed-output.ts'
import type { RunnerCommand } from './runner-command.ts'
import { RunnerProcess } from './runner-process.ts'

/** What a run under way needs of the runner's messages. */
interface Run {
  readonly hear: (stream: 1 | 2, bytes: Uint8Array) => void
  readonly end: (result: GuestResult) => void
  readonly fail: (error: HiveError) => void
  /** The sandbox's name for the task. */
  readonly task: string
  /** Who waits to hear what it uses. */
  readonly asking: Set<(use: TaskUse | undefined) => void>
}

/** One runner from its start to its end, with the modules it holds and the tasks it runs. */
export class RunnerSession implements AsyncDisposable {
  readonly #shelf: ModuleShelf
  readonly #loading = new Map<string, Promise<void>>()
  readonly #admitting = new Map<string, PromiseWithResolvers<void>>()
  readonly #runs = new Map<number, Run>()
  #process: RunnerProcess | undefined
  #lostBy: HiveError | undefined
  #lastRun = 0

  constructor(moduleCacheBytes: number) {
    this.#shelf = new ModuleShelf(moduleCacheBytes)
  }

  /** Starts a runner; throws SANDBOX_UNAVAILABLE. `onGone` is told when it has ended. */
  static async open(
    command: RunnerCommand,
    options: { readonly moduleCacheBytes: number; readonly startTimeoutMs: number },
    onGone: (session: RunnerSession, why: string) => void,
  ): Promise<RunnerSession> {
    const session = new RunnerSession(options.moduleCacheBytes)
    const hear = session.#hear.bind(session)
    const runner = await RunnerProcess.start(command, hear, options.startTimeoutMs)
    session.#process = runner
    void runner.gone.then((why) => {
      session.#lost(why)
      onGone(session, why)
    })
    return session
  }

  holds(imageId: string): boolean {
    return this.#shelf.holdsImage(imageId)
  }

  /**
   * Has the runner hold the module, loading it once for all who ask, and takes it into use until
   * `release`. Throws IMAGE_INVALID, or TASK_START_FAILED when the bytes cannot be had.
   */
  async acquire(image: SandboxImage, form: ModuleForm): Promise<string> {
    const key = `${image.id} ${form.maxPages} ${form.mode}`
    while (!this.#shelf.acquire(key)) {
      let loading = this.#loading.get(key)
      if (loading === undefined) {
        loading = this.#load(key, image, form).finally(() => this.#loading.delete(key))
        this.#loading.set(key, loading)
      }
      await loading
    }
    return key
  }

  release(key: string): void {
    this.#shelf.release(key)
  }

  /** Runs a task with a module in use. Aborting ends it as `killed`; throws TASK_START_FAILED when the runner goes. */
  async run(
    key: string,
    name: string,
    task: GuestTask,
    hear: Run['hear'],
    signal: AbortSignal,
  ): Promise<GuestResult> {
    const id = ++this.#lastRun
    if (this.#lostBy) throw this.#lostBy
    const { promise, resolve, reject } = Promise.withResolvers<GuestResult>()
    const cancel = () => this.#process?.send({ type: 'cancel', id })
    const asking: Run['asking'] = new Set()
    this.#runs.set(id, { task: name, asking, hear, end: resolve, fail: reject })
    signal.addEventListener('abort', cancel)
    try {
      this.#process?.send({ type: 'run', id, key, task })
      if (signal.aborted) cancel()
      return await promise
    } finally {
      signal.removeEventListener('abort', cancel)
      this.#runs.delete(id)
      for (const answer of asking) answer(undefined)
    }
  }

  /** What the task of this name has used so far; `undefined` unless it runs. */
  async usage(name: string): Promise<TaskUse | undefined> {
    const [id, run] = [...this.#runs].find(([, { task }]) => task === name) ?? []
    if (id === undefined || run === undefined) return undefined
    const { promise, resolve } = Promise.withResolvers<TaskUse | undefined>()
    run.asking.add(resolve)
    this.#process?.send({ type: 'usage', id })
    return await promise
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process?.[Symbol.asyncDispose]()
  }

  async #load(key: string, image: SandboxImage, form: ModuleForm): Promise<void> {
    let bytes
    try {
      bytes = await image.load()
    } catch (cause) {
      if (codeOf(cause) === 'IMAGE_INVALID') throw cause
      throw new HiveError('TASK_START_FAILED', { why: 'the image cannot be loaded' }, { cause })
    }
    if (!(bytes instanceof Uint8Array))
      throw new HiveError('IMAGE_INVALID', { why: 'it is an image in layers, not a module' })
    if (bytes.byteLength > MAX_IMAGE_BYTES)
      throw new HiveError('IMAGE_INVALID', { why: `it is larger than ${MAX_IMAGE_BYTES} bytes` })
    if (this.#lostBy) throw this.#lostBy
    const admitted = Promise.withResolvers<void>()
    this.#admitting.set(key, admitted)
    this.#process?.send({ type: 'admit', key, bytes, form })
    await admitted.promise
    for (const old of this.#shelf.put(key, image.id, bytes.byteLength))
      this.#process?.send({ type: 'drop', key: old })
  }

  #hear(message: FromRunner): void {
    switch (message.type) {
      case 'ready':
        return
      case 'admitted':
        this.#admitting.get(message.key)?.resolve()
        this.#admitting.delete(message.key)
        return
      case 'refused':
        this.#admitting
          .get(message.key)
          ?.reject(new HiveError('IMAGE_INVALID', { why: message.why }))
        this.#admitting.delete(message.key)
        return
      case 'output': {
        const run = this.#runs.get(message.id)
        if (run === undefined) return
        for (const { stream, bytes } of unpackOutput(message.packed)) run.hear(stream, bytes)
        return
      }
      case 'used': {
        const asking = this.#runs.get(message.id)?.asking
        for (const answer of asking ?? []) answer(message.use)
        asking?.clear()
        return
      }
      case 'ended':
        this.#runs.get(message.id)?.end(message.result)
    }
  }

  #lost(why: string): void {
    const error = new HiveError('TASK_START_FAILED', { why: `the runner ended: ${why}` })
    this.#lostBy = error
    for (const admission of this.#admitting.values()) admission.reject(error)
    for (const run of this.#runs.values()) run.fail(error)
  }
}
