import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { openWasmSandbox } from '../../node/adapters/wasm/wasm-sandbox.ts'
import { HiveError } from '../../node/domain/errors.ts'
import { MiB, minute, second } from '../../node/domain/units.ts'
import type { Sandbox, SandboxTask } from '../../node/ports/sandbox.ts'
import { figure, median, timed, type Figure } from './figures.ts'
import { NO_OP_LIMITS, NO_OP_MODULE } from './no-op.ts'
import { SILENT } from './silent.ts'

const run = promisify(execFile)

/** What is computed, and how many rounds take about a quarter of a second. */
const KERNELS = {
  matmul: 70,
  sha256: 400_000,
  nbody: 2_500_000,
  sieve: 400,
  calls: 6000,
} as const
const REPEATS = 5
const JOBS = 4000
/** Jobs under way at once, for each thread: so that none waits for the next job to arrive. */
const AHEAD = 4
const KERNELS_C = fileURLToPath(new URL('../../test/vectors/wasm/kernels.c', import.meta.url))
const KERNELS_WASM = fileURLToPath(new URL('../../test/vectors/wasm/kernels.wasm', import.meta.url))
const PLAIN_V8 = fileURLToPath(new URL('plain-v8.ts', import.meta.url))
const COMPILERS = ['clang', 'clang-14', 'gcc', 'cc']

type Change = Partial<Pick<SandboxTask, 'seed'>> & { readonly fuel?: number }

/** No-op jobs through the whole sandbox port, as many at once as it has threads for. */
export async function sandboxRateFigure(signal: AbortSignal): Promise<Figure> {
  const threads = availableParallelism()
  await using sandbox = await openWasmSandbox({ logger: SILENT }, { threads })
  const { timeoutMs, ...limits } = NO_OP_LIMITS
  const image = { id: 'no-op', load: async () => NO_OP_MODULE }
  const job = task(image, [], { ...limits, wallMs: timeoutMs })
  const many = async (count: number) => {
    let left = count
    const lane = async () => {
      while (left-- > 0) await sandbox.run(job, { signal })
    }
    await Promise.all(Array.from({ length: threads * AHEAD }, lane))
  }
  await many(JOBS / 10)
  const times: number[] = []
  for (let at = 0; at < REPEATS; at++) times.push(await timed(async () => many(JOBS)))
  const rate = JOBS / (median(times) / second)
  return figure(`no-op jobs through the sandbox, ${threads} threads`, rate, 'jobs/s', REPEATS)
}

/** How much longer computations take as WASM: over C of this machine, and over V8 alone; by processor time. */
export async function computeFigures(signal: AbortSignal): Promise<Figure[]> {
  await using sandbox = await openWasmSandbox({ logger: SILENT }, { threads: 1 })
  await using native = await nativeKernels(signal)
  const figures: Figure[] = []
  const over = { native: [] as number[], plain: [] as number[], deterministic: [] as number[] }
  for (const [kernel, rounds] of Object.entries(KERNELS)) {
    const args = [kernel, String(rounds)]
    // In turns, so that a machine that is busy for a while is so for all of them.
    const times = { native: [], v8: [], off: [], on: [], fixed: [] } as Record<string, number[]>
    for (let at = 0; at <= REPEATS; at++) {
      const turn = {
        native: await native.run?.(args),
        v8: await plainV8(args, signal),
        off: await cpuMs(sandbox, args, {}, signal),
        on: await cpuMs(sandbox, args, { fuel: Number.MAX_SAFE_INTEGER }, signal),
        fixed: await cpuMs(sandbox, args, { seed: new Uint8Array(32) }, signal),
      }
      // The first turn compiles.
      if (at === 0) continue
      for (const [what, ms] of Object.entries(turn)) if (ms !== undefined) times[what]?.push(ms)
    }
    const ratio = (what: string, to: string) => median(times[what] ?? []) / median(times[to] ?? [])
    const add = (list: number[], name: string, value: number) => {
      list.push(value)
      figures.push(figure(`${kernel}: ${name}`, value, 'times', REPEATS))
    }
    if (native.run !== undefined)
      add(over.native, 'WASM with fuel over native C', ratio('on', 'native'))
    add(over.plain, 'WASM without fuel over V8 alone', ratio('off', 'v8'))
    add(over.deterministic, 'deterministic over V8 alone', ratio('fixed', 'v8'))
  }
  const all = (name: string, ratios: readonly number[]) =>
    figure(`median of ${ratios.length} programs: ${name}`, median(ratios), 'times', REPEATS)
  return [
    ...(native.run === undefined
      ? []
      : [{ ...all('WASM with fuel over native C', over.native), note: native.compiler }]),
    all('WASM without fuel over V8 alone', over.plain),
    all('deterministic over V8 alone', over.deterministic),
    ...figures,
  ]
}

async function cpuMs(
  sandbox: Sandbox,
  args: readonly string[],
  { fuel, seed }: Change,
  signal: AbortSignal,
): Promise<number> {
  const image = { id: 'kernels', load: () => readFile(KERNELS_WASM) }
  const limits = { cpuMillis: 1000, memoryBytes: 16 * MiB, diskBytes: MiB, wallMs: minute }
  const result = await sandbox.run(
    {
      ...task(image, args, { ...limits, ...(fuel !== undefined && { fuel }) }),
      ...(seed && { seed }),
    },
    { signal },
  )
  if (result.exitCode !== 0) throw new HiveError('INTERNAL', { detail: result.detail })
  return result.usage.cpuMs
}

function task(
  image: SandboxTask['image'],
  args: readonly string[],
  limits: Omit<SandboxTask['limits'], 'outputBytes'>,
): SandboxTask {
  return {
    id: 'bench',
    image,
    args,
    env: {},
    stdin: new Uint8Array(),
    files: [],
    outputs: '/out',
    limits: { ...limits, outputBytes: MiB },
  }
}

/** Of the second run in one process: the first compiles. */
async function plainV8(args: readonly string[], signal: AbortSignal): Promise<number> {
  const flags = ['--no-liftoff', '--no-warnings']
  const { stdout } = await run(process.execPath, [...flags, PLAIN_V8, KERNELS_WASM, '2', ...args], {
    signal,
  })
  return Number(stdout.trim().split('\n')[1])
}

interface NativeKernels extends AsyncDisposable {
  /** `undefined` where there is no compiler. */
  readonly run: ((args: readonly string[]) => Promise<number>) | undefined
  readonly compiler: string
}

async function nativeKernels(signal: AbortSignal): Promise<NativeKernels> {
  const dir = await mkdtemp(join(tmpdir(), 'hive-bench-'))
  const program = join(dir, 'kernels')
  const dispose = async () => rm(dir, { recursive: true, force: true })
  for (const compiler of COMPILERS) {
    try {
      await run(compiler, ['-O2', '-o', program, KERNELS_C, '-lm'], { signal })
    } catch (error) {
      signal.throwIfAborted()
      // The next may be there.
      void error
      continue
    }
    return {
      compiler: `${compiler} -O2`,
      // It says itself how much time it took.
      run: async (args) => Number((await run(program, args, { signal })).stderr) / 1000,
      [Symbol.asyncDispose]: dispose,
    }
  }
  return { compiler: 'none', run: undefined, [Symbol.asyncDispose]: dispose }
}
