import type Docker from 'dockerode'
import { HiveError } from '../../domain/errors.ts'
import type { GpuDevice, GpuVendor } from '../../domain/gpu-need.ts'

/** The device through which programs compute on every AMD card; the render node says on which. */
export const AMD_COMPUTE = '/dev/kfd'
/** What of NVIDIA's driver a job gets to see: neither a display nor what draws on one. */
const NVIDIA_PARTS = 'compute,utility,video'
const IDS = { nvidia: /^GPU-[0-9A-Za-z-]{1,64}$/, amd: /^\/dev\/dri\/renderD\d{1,4}$/ } as const

/** Which GPUs an engine's runtime can hand to a task, and how. */
export interface GpuAccess {
  /** Why not, of the makers whose GPUs cannot be handed out. */
  readonly refusals: Readonly<Partial<Record<GpuVendor, string>>>
  /** The runtime gives NVIDIA's GPUs to every container whose environment names them, asked or not. */
  readonly isByVariable: boolean
  /** Groups that may use AMD's device nodes. */
  readonly groups: readonly number[]
}

/** What a container is given for its task's GPUs. */
export interface GpuSettings {
  /** Stronger than what task or image say. */
  readonly env: Readonly<Record<string, string>>
  readonly host: Docker.HostConfig
}

/**
 * The GPUs of a task as the engine is asked for them; for a task without any, what keeps all from it.
 * @throws HiveError TASK_START_FAILED when this runtime cannot hand them out
 */
export function gpuSettings(gpus: readonly GpuDevice[], access: GpuAccess): GpuSettings {
  for (const { vendor, id } of gpus) {
    const refusal = access.refusals[vendor]
    const said = refusal ?? (IDS[vendor].test(id) ? undefined : 'the provider names one wrongly')
    if (said !== undefined) {
      throw new HiveError('TASK_START_FAILED', { said: `GPUs of ${vendor}: ${said}` })
    }
  }
  const uuids = idsOf(gpus, 'nvidia')
  if (uuids.length > 0) {
    // images for CUDA ask for all GPUs in this variable
    const env = {
      NVIDIA_VISIBLE_DEVICES: uuids.join(','),
      NVIDIA_DRIVER_CAPABILITIES: NVIDIA_PARTS,
    }
    return { env, host: gpuHost(gpus, access.groups) }
  }
  const env = access.isByVariable ? { NVIDIA_VISIBLE_DEVICES: 'void' } : {}
  return { env, host: gpuHost(gpus, access.groups) }
}

/** The same as the engine's own words, unchecked. */
export function gpuHost(gpus: readonly GpuDevice[], groups: readonly number[]): Docker.HostConfig {
  const uuids = idsOf(gpus, 'nvidia')
  const nodes = idsOf(gpus, 'amd')
  return {
    ...(uuids.length > 0 && {
      DeviceRequests: [{ Driver: 'nvidia', DeviceIDs: [...uuids], Capabilities: [['gpu']] }],
    }),
    ...(nodes.length > 0 && {
      Devices: [AMD_COMPUTE, ...nodes].map((path) => ({
        PathOnHost: path,
        PathInContainer: path,
        CgroupPermissions: 'rw',
      })),
      ...(groups.length > 0 && { GroupAdd: groups.map(String) }),
    }),
  }
}

function idsOf(gpus: readonly GpuDevice[], maker: GpuDevice['vendor']): readonly string[] {
  return gpus.flatMap(({ vendor, id }) => (vendor === maker ? id : []))
}
