import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { openDockerSandbox } from '../../node/adapters/docker/docker-sandbox.ts'
import { admitImage } from '../../node/adapters/image/image-admission.ts'
import { openNativeSandbox, NATIVE_KEEPERS } from '../../node/adapters/native/native-sandbox.ts'
import { HiveError } from '../../node/domain/errors.ts'
import type { Logger } from '../../node/ports/logger.ts'
import type { Sandbox, SandboxImage } from '../../node/ports/sandbox.ts'
import { buildBusyboxImage } from '../images/busybox.ts'
import { cancelFigure } from './cancelling.ts'
import { figure, median, timed, type Figure } from './figures.ts'
import { imageTask } from './image-task.ts'
import { SILENT } from './silent.ts'

const run = promisify(execFile)

const RUNTIMES = ['runc', 'runsc'] as const
const DOCKER_RUNS = 15
const NATIVE_RUNS = 30
/** Runs before the first that counts. */
const WARM_UPS = 2
const ECHO = ['/bin/echo', 'hi']
const LINGER = ['/bin/sh', '-c', 'echo hi; exec sleep 1000']

/** How long one task took, ms. */
interface Taken {
  readonly firstByteMs: number
  readonly wholeMs: number
}

/** What an image task costs beside `docker run`, and how soon its first byte comes; says what cannot be measured here. */
export async function imageFigures(
  say: (what: string) => void,
  signal: AbortSignal,
): Promise<Figure[]> {
  if (!existsSync('/bin/busybox')) {
    say('skipped: image tasks, for want of /bin/busybox (busybox-static)')
    return []
  }
  const image = { id: 'busybox', load: buildBusyboxImage }
  const figures: Figure[] = []
  for (const runtime of RUNTIMES)
    figures.push(...(await dockerFigures(runtime, image, say, signal)))
  for (const keeper of NATIVE_KEEPERS) {
    figures.push(...(await nativeFigures(keeper, image, say, signal)))
  }
  return figures
}

async function dockerFigures(
  runtime: (typeof RUNTIMES)[number],
  image: SandboxImage,
  say: (what: string) => void,
  signal: AbortSignal,
): Promise<Figure[]> {
  const name = `docker ${runtime}`
  const nodeId = `bench ${process.pid} ${runtime}`
  await using cold = await openDockerSandbox({ logger: SILENT }, { nodeId, runtime })
  if (cold === undefined) {
    say(`skipped: ${name}, which does not work here`)
    return []
  }
  const { id } = await admitImage(await buildBusyboxImage())
  const plain = ['run', '--rm', '--network=none', `--runtime=${runtime}`, id, ...ECHO]
  const dockerRun = async () => timed(async () => run('docker', plain, { signal }))
  const hasClient = await run('docker', ['--version']).then(
    () => true,
    () => false, // the engine works without its command line
  )
  if (!hasClient) say(`skipped: ${name} over docker run, for want of the docker command`)
  const ours: Taken[] = []
  const theirs: number[] = []
  // In turns, so that a machine that is busy for a while is so for both.
  for (let at = 0; at < WARM_UPS + DOCKER_RUNS; at++) {
    const taken = await runEcho(cold, image, signal)
    const other = hasClient ? await dockerRun() : NaN
    if (at < WARM_UPS) continue
    ours.push(taken)
    theirs.push(other)
  }
  const first = firstByteOf(`${name}, a container of its own`, ours)
  const waiting = await warmFigure(runtime, image, signal)
  const stopped = await cancelFigure(name, cold, image, LINGER)
  if (!hasClient) return [first, waiting, stopped]
  const [whole, plainMs] = [median(ours.map(({ wholeMs }) => wholeMs)), median(theirs)]
  const note = `${whole.toFixed(0)} ms over ${plainMs.toFixed(0)} ms`
  const ratio = figure(
    `${name}: a task over docker run`,
    whole / plainMs,
    'times',
    DOCKER_RUNS,
    note,
  )
  return [ratio, first, waiting, stopped]
}

/** The first byte from a container that was made beforehand: each run waits for the next to be ready. */
async function warmFigure(
  runtime: string,
  image: SandboxImage,
  signal: AbortSignal,
): Promise<Figure> {
  let ready = Promise.withResolvers<void>()
  const logger: Logger = {
    ...SILENT,
    child: () => logger,
    debug: (message) => {
      if (message === 'a container was made beforehand') ready.resolve()
    },
    warn: (message) => {
      ready.reject(new HiveError('INTERNAL', { message }))
    },
  }
  const nodeId = `bench ${process.pid} ${runtime} warm`
  const warm = { most: 1, usesForOne: 1 }
  await using sandbox = await openDockerSandbox({ logger }, { nodeId, runtime, warm })
  if (sandbox === undefined) throw new HiveError('SANDBOX_UNAVAILABLE', { kind: 'docker' })
  const taken: Taken[] = []
  for (let at = 0; at < WARM_UPS + DOCKER_RUNS; at++) {
    const one = await runEcho(sandbox, image, signal)
    await ready.promise
    ready = Promise.withResolvers()
    if (at >= WARM_UPS) taken.push(one)
  }
  return firstByteOf(`docker ${runtime}, a waiting container`, taken)
}

async function nativeFigures(
  keeper: (typeof NATIVE_KEEPERS)[number],
  image: SandboxImage,
  say: (what: string) => void,
  signal: AbortSignal,
): Promise<Figure[]> {
  const workDir = await mkdtemp(join(tmpdir(), 'hive-bench-'))
  try {
    const options = { nodeId: `bench ${process.pid} ${keeper}`, workDir, keeper }
    await using sandbox = await openNativeSandbox({ logger: SILENT }, options)
    if (sandbox === undefined) {
      say(`skipped: native ${keeper}, which does not work here`)
      return []
    }
    const taken: Taken[] = []
    for (let at = 0; at < WARM_UPS + NATIVE_RUNS; at++) {
      const one = await runEcho(sandbox, image, signal)
      if (at >= WARM_UPS) taken.push(one)
    }
    const stopped = await cancelFigure(`native ${keeper}`, sandbox, image, LINGER)
    return [firstByteOf(`native ${keeper}`, taken), stopped]
  } finally {
    await rm(workDir, { recursive: true, force: true })
  }
}

function firstByteOf(name: string, taken: readonly Taken[]): Figure {
  const times = taken.map(({ firstByteMs }) => firstByteMs)
  return figure(`${name}: first byte, p50`, median(times), 'ms', times.length)
}

async function runEcho(sandbox: Sandbox, image: SandboxImage, signal: AbortSignal): Promise<Taken> {
  const began = performance.now()
  let firstByteMs = NaN
  const onOutput = () => {
    if (Number.isNaN(firstByteMs)) firstByteMs = performance.now() - began
  }
  const { reason, exitCode, detail } = await sandbox.run(imageTask(image, ECHO), {
    signal,
    onOutput,
  })
  if (exitCode !== 0) throw new HiveError('INTERNAL', { reason, detail })
  return { firstByteMs, wholeMs: performance.now() - began }
}
