import { stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { GPU_VENDORS, type GpuDevice, type GpuVendor } from '../../domain/gpu-need.ts'
import type { Logger } from '../../ports/logger.ts'
import type { Engine } from './engine.ts'
import { missingHook } from './gpu-hook.ts'
import { AMD_COMPUTE, gpuHost, type GpuAccess } from './gpu-settings.ts'
import type { Image } from '../image/image-archive.ts'
import { runtimeFault } from './runtime-probe.ts'

/** Runtimes that start a container on the host's own kernel, from where it reaches a device node. */
const ON_HOST_KERNEL = ['runc', 'crun', 'nvidia-container-runtime']

const NOT_HERE = 'this machine has none'
const NO_RUNTIME = 'the provider’s container runtime cannot pass them on'
/** gVisor keeps devices from a job, except NVIDIA's when told; a weaker runtime in its place is the operator's to choose. */
const GVISOR = 'the provider’s gVisor passes none on'
const GVISOR_NVIDIA = `${GVISOR} without --nvproxy`
/** What is asked to find out. */
export interface GpuAccessParts {
  readonly engine: Engine
  readonly helper: Image
  readonly logger: Logger
}

/** Finds out how the GPUs of this machine can be handed to tasks under a runtime that works; logs what stays unused. */
export async function openGpuAccess(
  { engine, helper, logger }: GpuAccessParts,
  runtime: { readonly name: string; readonly command: string; readonly nodeId: string },
  gpus: readonly GpuDevice[],
): Promise<GpuAccess> {
  const { refusals, isByVariable } = gpuAccessOf(runtime.command)
  const nvidia = gpus.filter(({ vendor }) => vendor === 'nvidia')
  const amd = gpus.filter(({ vendor }) => vendor === 'amd')
  const found: Partial<Record<GpuVendor, string>> = { ...refusals }
  if (nvidia.length > 0 && refusals.nvidia === undefined) {
    const host = gpuHost(nvidia, [])
    const fault = await runtimeFault(engine, runtime.name, helper, runtime.nodeId, host)
    const missing = missingHook(fault ?? '')
    if (missing !== undefined) found.nvidia = missing
    else if (fault !== undefined) logger.warn('a trial container with GPUs did not run', { fault })
  }
  for (const vendor of GPU_VENDORS) {
    const count = gpus.filter((gpu) => gpu.vendor === vendor).length
    const fault = found[vendor]
    if (count > 0 && fault !== undefined) {
      logger.warn('GPUs cannot be given to jobs', { vendor, count, runtime: runtime.name, fault })
    }
    if (count === 0) found[vendor] ??= NOT_HERE
  }
  const groups = amd.length === 0 ? [] : await groupsOf([AMD_COMPUTE, ...amd.map(({ id }) => id)])
  return { refusals: found, isByVariable, groups }
}

/** What follows from the runtime alone: `command` is its program with its arguments. */
export function gpuAccessOf(command: string): Pick<GpuAccess, 'refusals' | 'isByVariable'> {
  const [path = '', ...args] = command.split(' ')
  const program = basename(path)
  if (program === 'runsc') {
    const passesNvidia = args.some((arg) => /^--?nvproxy(?:=true)?$/.test(arg))
    const refusals = { amd: GVISOR, ...(!passesNvidia && { nvidia: GVISOR_NVIDIA }) }
    return { refusals, isByVariable: passesNvidia }
  }
  const isByVariable = program !== 'runc' && program !== 'crun'
  if (ON_HOST_KERNEL.includes(program)) return { refusals: {}, isByVariable }
  return { refusals: { nvidia: NO_RUNTIME, amd: NO_RUNTIME }, isByVariable }
}

/** Groups that device nodes belong to, except root's: a job never gets that one. */
async function groupsOf(paths: readonly string[]): Promise<readonly number[]> {
  const gids = await Promise.all(
    paths.map(async (path) => {
      const found = await stat(path).catch(() => undefined) // gone: the start will say so
      return found?.gid ?? 0
    }),
  )
  return [...new Set(gids)].filter((gid) => gid !== 0)
}
