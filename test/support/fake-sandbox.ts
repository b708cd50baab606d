import { codeOf, HiveError } from '../../node/domain/errors.ts'
import type { TaskUse } from '../../node/domain/machine-sample.ts'
import { GrowingBytes } from '../../node/domain/growing-bytes.ts'
import type { JobKind } from '../../node/domain/job-spec.ts'
import type { EndReason } from '../../node/domain/receipt.ts'
import type {
  LeftTasks,
  OutputStream,
  Program,
  RunOptions,
  Sandbox,
  SandboxFile,
  SandboxResult,
  SandboxTask,
} from '../../node/ports/sandbox.ts'
import { isSandboxPath } from '../../node/protocol/job-spec-codec.ts'
import { readScript, type FakeScript } from './fake-script.ts'

/** How a fake task ends before its script does. */
class Ended extends Error {
  readonly reason: EndReason
  constructor(reason: EndReason) {
    super(reason)
    this.reason = reason
  }
}

/** What fake tasks run on when they outlive the node that started them. */
export class FakeMachine {
  readonly running = new Map<string, FakeRun>()
  #crash = new AbortController()

  /** Aborts at the next crash. */
  get crashed(): AbortSignal {
    return this.#crash.signal
  }

  /** Every sandbox on this machine is gone, as by SIGKILL; what they ran runs on. */
  crash(): void {
    const crash = this.#crash
    this.#crash = new AbortController()
    crash.abort(new HiveError('SANDBOX_UNAVAILABLE', { kind: 'fake' }))
  }
}

/**
 * A sandbox that runs JSON scripts (`fake-script.ts`) in this process and keeps every promise of the port. With a
 * machine its tasks outlive it.
 */
export function createFakeSandbox(kind: JobKind = 'wasm', machine?: FakeMachine): Sandbox {
  const images = new Map<string, FakeScript>()
  const runs = new Map<string, FakeRun>()
  const closed = new AbortController()
  const crashed = machine?.crashed
  const untilCrash = async <T>(work: Promise<T>): Promise<T> => {
    if (crashed === undefined) return work
    const { promise, reject } = Promise.withResolvers<never>()
    const stop = () => reject(crashed.reason as Error)
    crashed.addEventListener('abort', stop, { once: true })
    return Promise.race([work, promise]).finally(() => crashed.removeEventListener('abort', stop))
  }
  const left = machine && leftOn(machine, closed.signal, untilCrash)
  return {
    kind,
    isolation: 'none: a fake',
    ...(left && { left }),
    holds: (id) => images.has(id),
    usage: async (id) => runs.get(id)?.usage,
    prepare: async (image, { signal }) => {
      if (signal.aborted) throw new HiveError('CANCELLED', {}, { cause: signal.reason })
      const bytes = await image.load().catch((cause: unknown) => {
        if (codeOf(cause) === 'IMAGE_INVALID') throw cause
        throw new HiveError('TASK_START_FAILED', { image: image.id }, { cause })
      })
      const script = await scriptOf(bytes)
      if (script === undefined) throw new HiveError('IMAGE_INVALID', { rule: 'not a script' })
      if (signal.aborted) throw new HiveError('CANCELLED', {}, { cause: signal.reason })
      images.set(image.id, script)
    },
    run: async (task, options) => {
      if (closed.signal.aborted || crashed?.aborted)
        throw new HiveError('SANDBOX_UNAVAILABLE', { kind })
      const run = new FakeRun(task, options, closed.signal, crashed)
      if (run.isStopped) return run.result('killed', 'cancelled before it started')
      if (task.egress?.length) return run.result('start-failed', 'no destination can be reached')
      let script = images.get(task.image.id)
      if (script === undefined) {
        let bytes
        try {
          bytes = await task.image.load()
        } catch (error) {
          // The reason goes to the caller as the port says.
          return codeOf(error) === 'IMAGE_INVALID'
            ? run.result('image-bad', 'nothing can be done with it')
            : run.result('start-failed', 'the image could not be loaded')
        }
        script = await scriptOf(bytes)
        if (script === undefined) return run.result('image-bad', 'not a script')
        images.set(task.image.id, script)
      }
      runs.set(task.id, run)
      if (machine === undefined) return await run.play(script).finally(() => runs.delete(task.id))
      machine.running.set(task.id, run)
      run.onEnd = () => {
        machine.running.delete(task.id)
        runs.delete(task.id)
      }
      return await untilCrash(run.play(script))
    },
    [Symbol.asyncDispose]: async () => {
      closed.abort()
      for (const id of left?.ids ?? []) await left?.end(id)
    },
  }
}

/** What runs on a machine now, for the sandbox that is opened now. */
function leftOn(
  machine: FakeMachine,
  closed: AbortSignal,
  untilCrash: <T>(work: Promise<T>) => Promise<T>,
): LeftTasks {
  const left = new Map(machine.running)
  const take = (id: string) => {
    const run = left.get(id)
    left.delete(id)
    return machine.running.get(id) === run ? run : undefined
  }
  const end = async (id: string) => {
    await take(id)?.stopped()
  }
  return {
    get ids() {
      return new Set(left.keys())
    },
    resume: async (task, options) => {
      const run = take(task.id)
      return run && (await untilCrash(run.takeOver(options, closed)))
    },
    end,
  }
}

class FakeRun {
  readonly #task: SandboxTask
  readonly #kill = new AbortController()
  readonly #ended = Promise.withResolvers<SandboxResult>()
  #owner: RunOptions
  /** Called when it has ended, before anyone hears how. */
  onEnd: () => void = () => undefined
  readonly #streams: Readonly<Record<OutputStream, GrowingBytes>> = {
    1: new GrowingBytes(),
    2: new GrowingBytes(),
  }
  readonly #files = new Map<string, Uint8Array>()
  readonly #given: ReadonlyMap<string, Uint8Array>
  readonly #started = performance.now()
  #printed = 0
  #peak = 1
  #busyMs = 0

  constructor(task: SandboxTask, options: RunOptions, closed: AbortSignal, crashed?: AbortSignal) {
    this.#task = task
    this.#owner = options
    this.#own(options, closed)
    crashed?.addEventListener('abort', () => {
      if (this.#owner === options) this.#owner = { signal: new AbortController().signal }
    })
    const secrets = task.secrets?.files ?? []
    for (const file of [...task.files, ...secrets]) this.#files.set(file.path, file.bytes.slice())
    this.#given = new Map(this.#files)
  }

  /** A fake is always at work. */
  get usage(): TaskUse {
    return { cpuMs: performance.now() - this.#started, memoryBytes: this.#peak }
  }

  get isStopped(): boolean {
    return this.#kill.signal.aborted
  }

  /** Ends it; resolves when it has ended. */
  async stopped(): Promise<void> {
    this.#kill.abort()
    await this.#ended.promise
  }

  /** Goes on for another owner, who hears all there was so far. */
  async takeOver(options: RunOptions, closed: AbortSignal): Promise<SandboxResult> {
    for (const stream of [1, 2] as const) {
      const { bytes } = this.#streams[stream]
      if (bytes.byteLength > 0) options.onOutput?.(stream, bytes)
    }
    this.#own(options, closed)
    return this.#ended.promise
  }

  async play(script: FakeScript): Promise<SandboxResult> {
    const result = await this.#play(script)
    this.onEnd()
    this.#ended.resolve(result)
    return result
  }

  #own(options: RunOptions, closed: AbortSignal): void {
    this.#owner = options
    const stop = () => {
      if (this.#owner === options) this.#kill.abort()
    }
    for (const signal of [options.signal, closed]) {
      if (signal.aborted) stop()
      signal.addEventListener('abort', stop, { once: true })
    }
  }

  async #play(script: FakeScript): Promise<SandboxResult> {
    try {
      const code = await this.#steps(script)
      return this.result('exit', '', code)
    } catch (error) {
      if (!(error instanceof Ended)) throw error
      return this.result(error.reason, `ended by ${error.reason}`)
    }
  }

  async #steps(script: FakeScript): Promise<number> {
    const { args, stdin, limits, secrets } = this.#task
    const env = { ...this.#task.env, ...secrets?.env }
    const [first = '', second = '', ...others] = args
    await this.#pause(0)
    if (script.echoArgs) this.#print(1, `${[second, ...others].join(' ')}\n`)
    if (script.stdout !== undefined) this.#print(1, script.stdout)
    if (script.stderr !== undefined) this.#print(2, script.stderr)
    if (script.printEnv !== undefined) this.#print(2, `${env[script.printEnv] ?? ''}\n`)
    if (script.cat) this.#print(1, stdin)
    for (const [path, text] of Object.entries(script.write ?? {})) this.#write(path, encode(text))
    if (script.copyArgs) {
      const bytes = this.#files.get(first)
      if (bytes === undefined) return 1
      this.#write(second, bytes)
    }
    if (script.sleepArgs) {
      this.#print(1, 'before\n')
      await this.#pause(Number(first))
      this.#print(1, 'after\n')
    }
    if (script.sleepMs !== undefined) await this.#pause(script.sleepMs)
    while (script.flood) this.#print(1, 'flood '.repeat(1000))
    while (script.drip) {
      this.#print(1, 'o')
      this.#print(2, 'e')
    }
    if (script.hog) {
      this.#peak = limits.memoryBytes
      throw new Ended('oom')
    }
    if (script.spin) {
      try {
        await this.#pause(Infinity)
      } finally {
        this.#busyMs = performance.now() - this.#started
      }
    }
    return script.echoArgs ? Number(first) : (script.exit ?? 0)
  }

  #print(stream: OutputStream, output: string | Uint8Array): void {
    const bytes = typeof output === 'string' ? encode(output) : output
    const kept = bytes.subarray(0, this.#task.limits.outputBytes - this.#printed)
    this.#printed += kept.byteLength
    this.#streams[stream].append(kept)
    if (kept.byteLength > 0) this.#owner.onOutput?.(stream, kept)
    if (kept.byteLength < bytes.byteLength) throw new Ended('output-limit')
  }

  #write(path: string, bytes: Uint8Array): void {
    const held = [...this.#files].reduce(
      (n, [at, file]) => n + (this.#given.has(at) || at === path ? 0 : file.length),
      bytes.length,
    )
    if (held > this.#task.limits.diskBytes) throw new Ended('disk-limit')
    this.#files.set(path, bytes)
  }

  async #pause(ms: number): Promise<void> {
    const left = this.#task.limits.wallMs - (performance.now() - this.#started)
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const stop = () => {
      reject(new Ended('killed'))
    }
    const { signal } = this.#kill
    if (signal.aborted) stop()
    signal.addEventListener('abort', stop, { once: true })
    const timer = setTimeout(
      () => {
        if (ms > left) reject(new Ended('timeout'))
        else resolve()
      },
      Math.max(0, Math.min(ms, left)),
    )
    try {
      await promise
    } finally {
      clearTimeout(timer)
      signal.removeEventListener('abort', stop)
    }
  }

  result(reason: EndReason, detail: string, exitCode = -1): SandboxResult {
    const stdout = this.#streams[1].bytes
    const stderr = this.#streams[2].bytes
    const { files: given, stdin, outputs } = this.#task
    const before = this.#given
    const files: SandboxFile[] = [...this.#files]
      .filter(([path, bytes]) => path.startsWith(`${outputs}/`) && before.get(path) !== bytes)
      .filter(([path]) => isSandboxPath(path))
      .map(([path, bytes]) => ({ path, bytes }))
    const size = (n: number, file: SandboxFile) => n + file.bytes.byteLength
    return {
      reason,
      exitCode,
      detail,
      stdout,
      stderr,
      files,
      usage: {
        wallMs: performance.now() - this.#started,
        cpuMs: this.#busyMs,
        peakMemoryBytes: this.#peak,
        bytesIn: given.reduce(size, stdin.byteLength),
        bytesOut: files.reduce(size, stdout.byteLength + stderr.byteLength),
      },
    }
  }
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

/** A script by itself, or one that is the top layer of an image. */
async function scriptOf(program: Program): Promise<FakeScript | undefined> {
  if (program instanceof Uint8Array) return readScript(program)
  return readScript((await program.layers.at(-1)?.()) ?? new Uint8Array())
}
