import type { JobKind } from '../../../node/domain/job-spec.ts'
import type { Clock } from '../../../node/ports/clock.ts'
import type {
  RunOptions,
  Sandbox,
  SandboxResult,
  SandboxTask,
} from '../../../node/ports/sandbox.ts'

const NOTHING = new Uint8Array()

/** A sandbox whose tasks take the time that their first argument says, ms, and print how long that was. */
export class SimSandbox implements Sandbox {
  readonly kind: JobKind
  readonly isolation = 'none: simulated'
  readonly #clock: Clock

  constructor(kind: JobKind, clock: Clock) {
    this.kind = kind
    this.#clock = clock
  }

  holds(): boolean {
    return false
  }

  async run({ args, limits, image }: SandboxTask, { signal }: RunOptions): Promise<SandboxResult> {
    await image.load()
    const wanted = Number(args[0] ?? 0)
    const wallMs = Math.min(wanted, limits.wallMs)
    const reason = await this.#clock.sleep(wallMs, signal).then(
      () => (wanted > limits.wallMs ? ('timeout' as const) : ('exit' as const)),
      () => 'killed' as const, // the share was given up, or the node stops
    )
    return {
      reason,
      exitCode: reason === 'exit' ? 0 : -1,
      detail: '',
      stdout: new TextEncoder().encode(`ran ${wallMs} ms\n`),
      stderr: NOTHING,
      files: [],
      usage: { wallMs, cpuMs: wallMs, peakMemoryBytes: 0, bytesIn: 0, bytesOut: 0 },
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // nothing is held
  }
}
