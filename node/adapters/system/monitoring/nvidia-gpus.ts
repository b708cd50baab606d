import type { GpuSample } from '../../../domain/machine-sample.ts'
import { MiB } from '../../../domain/units.ts'
import type { KernelFiles } from '../hardware/kernel-files.ts'
import { runNvidiaSmi } from '../hardware/nvidia-smi.ts'

const FIELDS = ['name', 'utilization.gpu', 'memory.used', 'temperature.gpu', 'power.draw']
/** How long the tool may take, ms. */
const TIMEOUT_MS = 2_000
/** Between two questions at least, ms: the tool is a process each time. */
const INTERVAL_MS = 10_000
/** A tool that takes longer wakes the card each time (no persistence daemon): it is asked seldom, ms. */
const SLOW_MS = 500
const SLOW_INTERVAL_MS = 120_000

/** What NVIDIA's tool tells of its cards. Nobody waits for the tool: what it told last is the answer. */
export class NvidiaGpus implements AsyncDisposable {
  readonly #files: KernelFiles
  #latest: readonly GpuSample[] = []
  #asking: Promise<void> | undefined
  #nextAt = 0

  constructor(files: KernelFiles) {
    this.#files = files
  }

  /** What is known now; asks for more where it is old. Only for a machine that has the driver. */
  latest(): readonly GpuSample[] {
    if (this.#asking === undefined && performance.now() >= this.#nextAt)
      this.#asking = this.#ask().finally(() => (this.#asking = undefined))
    return this.#latest
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#asking
  }

  async #ask(): Promise<void> {
    const startedAt = performance.now()
    const args = [`--query-gpu=${FIELDS.join(',')}`, '--format=csv,noheader,nounits']
    this.#latest = parse(await runNvidiaSmi(this.#files, args, TIMEOUT_MS))
    const isSlow = performance.now() - startedAt > SLOW_MS
    this.#nextAt = performance.now() + (isSlow ? SLOW_INTERVAL_MS : INTERVAL_MS)
  }
}

/** Lines such as `NVIDIA H100 80GB HBM3, 98, 40960, 61, 402.13`; `[N/A]` for what a card does not tell. */
function parse(output: string): readonly GpuSample[] {
  return output.split('\n').flatMap((line): GpuSample[] => {
    const cells = line.split(',').map((cell) => cell.trim())
    const [model = '', ...figures] = cells
    if (cells.length !== FIELDS.length || model === '') return []
    const [busy, memory, temperatureC, powerWatts] = figures.map((cell) =>
      /^\d{1,7}(\.\d{1,3})?$/.test(cell) ? Number(cell) : undefined,
    )
    return [
      {
        model: model.replace(/[^ -~]/g, '').slice(0, 80),
        ...(busy !== undefined && busy <= 100 && { busy: busy / 100 }),
        ...(memory !== undefined && { memoryUsedBytes: memory * MiB }),
        ...(temperatureC !== undefined && { temperatureC }),
        ...(powerWatts !== undefined && { powerWatts }),
      },
    ]
  })
}
