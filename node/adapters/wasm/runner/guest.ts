import { isPlainPath } from '../../../domain/sandbox-path.ts'
import type { SandboxFile } from '../../../ports/sandbox.ts'
import { CLOCK } from '../wasi/abi.ts'
import { SystemClock, VirtualClock } from '../wasi/clock.ts'
import { DiskQuota } from '../wasi/disk-quota.ts'
import { FdTable } from '../wasi/fd-table.ts'
import { changedFiles, FileTree } from '../wasi/file-tree.ts'
import { GuestEnd } from '../wasi/guest-end.ts'
import { GuestMemory } from '../wasi/guest-memory.ts'
import type { WasiHost } from '../wasi/host.ts'
import { wasiImports } from '../wasi/imports.ts'
import { WASI_MODULE } from '../wasi/names.ts'
import { seededRandomness, systemRandomness } from '../wasi/randomness.ts'
import {
  blamedOnMemory,
  endingOf,
  meteredEnding,
  withRefused,
  type Ending,
} from './guest-ending.ts'
import { GuestMeter } from './guest-meter.ts'
import type { FromWorker, GuestTask, ToWorker } from './messages.ts'
import type { OutputRing } from './output-ring.ts'

/** What a program finds as its own name, before its arguments. */
const PROGRAM_NAME = 'program'

type Ended = Exclude<FromWorker, string>

/** Runs one guest to its end, on this thread. `tell` makes the main thread look into the ring. */
export function runGuest(
  { module, form, task }: ToWorker,
  ring: OutputRing,
  tell: () => void,
): Ended {
  const cpuBefore = process.threadCpuUsage()
  ring.peakBytes = 0
  ring.cpuBeforeMs = (cpuBefore.user + cpuBefore.system) / 1000
  const memory = new GuestMemory((bytes) => {
    ring.peakBytes = bytes
  })
  const meter = form.mode === 'plain' ? undefined : new GuestMeter(task.limits.fuel)
  const clock =
    meter === undefined || task.seed === undefined
      ? new SystemClock()
      : new VirtualClock(() => meter.used)
  const tree = new FileTree(
    new DiskQuota(task.limits.diskBytes),
    () => clock.read(CLOCK.realtime) ?? 0n,
  )
  let ending = prepare(tree, task)
  let files: readonly SandboxFile[] = []
  if (ending === undefined) {
    const host: WasiHost = {
      memory,
      tree,
      fds: new FdTable(tree.quota, task.stdin, tree.root),
      args: [PROGRAM_NAME, ...task.args].map((arg) => Buffer.from(arg)),
      env: Object.entries(task.env).map(([name, value]) => Buffer.from(`${name}=${value}`)),
      clock,
      random: task.seed === undefined ? systemRandomness() : seededRandomness(task.seed),
      print: printer(task.limits.outputBytes, ring, tell),
      refused: new Set(),
      ended: undefined,
    }
    ending = execute(module, host, meter)
    ring.peakBytes = memory.size
    ending = blamedOnMemory(ending, memory.size, form.maxPages, meter)
    if (meter !== undefined) ending = meteredEnding(ending, meter, task.seed !== undefined)
    ending = withRefused(ending, host.refused)
    const collected = collect(tree, task)
    if (typeof collected === 'string')
      ending = { reason: 'disk-limit', exitCode: -1, detail: collected }
    else files = collected
  }
  const { user, system } = process.threadCpuUsage(cpuBefore)
  return {
    ...ending,
    files,
    cpuMs: (user + system) / 1000,
    peakMemoryBytes: ring.peakBytes,
    ...(meter !== undefined && { fuel: Number(meter.used) }),
  }
}

function prepare(tree: FileTree, task: GuestTask): Ending | undefined {
  const refused = task.files.find((file) => !tree.plant(file.path, file.bytes))
  const bad = refused?.path ?? (tree.plantDir(task.outputs) === undefined && task.outputs)
  tree.plantDir('/tmp')
  if (bad === false) return undefined
  return { reason: 'start-failed', exitCode: -1, detail: `the path ${bad} cannot be made` }
}

function printer(cap: number, ring: OutputRing, tell: () => void) {
  let printed = 0
  return (stream: 1 | 2, bytes: Uint8Array) => {
    const kept = bytes.subarray(0, cap - printed)
    printed += kept.byteLength
    ring.write(stream, kept, tell)
    if (kept.byteLength < bytes.byteLength)
      throw new GuestEnd('output-limit', -1, `a task may print ${cap} bytes`)
  }
}

function execute(
  module: WebAssembly.Module,
  host: WasiHost,
  meter: GuestMeter | undefined,
): Ending {
  try {
    // The start function of a module that is not metered runs in here already, and without its memory
    // known every call answers `fault`.
    const { exports } = new WebAssembly.Instance(module, { [WASI_MODULE]: wasiImports(host) })
    host.memory.attach(exports['memory'] as WebAssembly.Memory)
    meter?.attach(exports)
    meter?.start()
    ;(exports['_start'] as () => void)()
    return host.ended ? endingOf(host.ended) : { reason: 'exit', exitCode: 0, detail: '' }
  } catch (error) {
    return endingOf(host.ended ?? error)
  }
}

function collect(tree: FileTree, { outputs, limits }: GuestTask): readonly SandboxFile[] | string {
  const dir = tree.plantDir(outputs)
  const files: SandboxFile[] = []
  if (dir === undefined) return files
  for (const { path, file } of changedFiles(dir, outputs)) {
    // no result could carry such a name
    if (!isPlainPath(path)) continue
    if (files.length >= limits.maxFiles) return `more than ${limits.maxFiles} output files`
    if (path.length > limits.maxPathChars)
      return `an output path of more than ${limits.maxPathChars} characters`
    if (file.size > limits.maxFileBytes)
      return `an output file of more than ${limits.maxFileBytes} bytes`
    files.push({ path, bytes: file.data.subarray(0, file.size) })
  }
  return files
}
