import { arch, availableParallelism } from 'node:os'
import type { Hardware } from '../../../domain/advert.ts'
import type { CgroupLimits } from './cgroup.ts'
import type { CpuInfo } from './cpu-info.ts'
import { parseCpuList } from './cpu-list.ts'
import type { KernelFiles } from './kernel-files.ts'

/** What an advert says of the processor. */
export type Cpu = Pick<Hardware, 'cpuModel' | 'arch' | 'cores' | 'physicalCores' | 'cpuFlags'>

/** Features worth an advert's room: those that programs are compiled for. */
export const CPU_FLAGS: readonly string[] = [
  'sse4_2 avx avx2 fma bmi2 f16c aes vaes pclmulqdq sha_ni gfni',
  'avx512f avx512bw avx512vl avx512_vnni avx512_bf16 avx512_fp16 avx_vnni amx_tile amx_int8 amx_bf16',
  'asimd asimddp asimdhp sve sve2 i8mm bf16 sha2 sha3 atomics',
].flatMap((row) => row.split(' '))

/** Where each processor's own files are. */
const CPUS = 'sys/devices/system/cpu'
const MAX_STATUS_BYTES = 16 * 1024

/** The processors that this process may use, after affinity and quota. */
export async function readCpu(
  files: KernelFiles,
  info: CpuInfo,
  limits: CgroupLimits,
): Promise<Cpu> {
  const usable = await usableCpus(files)
  const physical = usable === undefined ? undefined : await physicalCores(files, usable)
  const quota = Math.max(1, Math.floor(limits.cpus ?? Infinity))
  const cores = Math.min(quota, usable?.size ?? availableParallelism())
  return {
    cpuModel: info.model,
    arch: arch(),
    cores,
    ...(physical !== undefined && { physicalCores: Math.min(physical, cores) }),
    cpuFlags: CPU_FLAGS.filter((flag) => info.flags.has(flag)),
  }
}

async function usableCpus(files: KernelFiles): Promise<ReadonlySet<number> | undefined> {
  const [online, status] = await Promise.all([
    files.text(`${CPUS}/online`),
    files.text('proc/self/status', MAX_STATUS_BYTES),
  ])
  const here = online === undefined ? undefined : parseCpuList(online)
  const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(status ?? '')?.[1]
  const allowed = list === undefined ? undefined : parseCpuList(list)
  if (here === undefined || allowed === undefined) return here
  const both = new Set([...here].filter((cpu) => allowed.has(cpu)))
  return both.size === 0 ? here : both
}

/** Hyper-threads of one core name each other in the same list. */
async function physicalCores(
  files: KernelFiles,
  cpus: ReadonlySet<number>,
): Promise<number | undefined> {
  const siblings = await Promise.all(
    [...cpus].map(async (cpu) => files.text(`${CPUS}/cpu${cpu}/topology/thread_siblings_list`)),
  )
  return siblings.includes(undefined) ? undefined : new Set(siblings).size
}
