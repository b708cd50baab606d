import type { HardwareProbe } from '../../ports/hardware.ts'
import { readCgroupLimits } from './hardware/cgroup.ts'
import { readCpu } from './hardware/cpu.ts'
import { readCpuInfo } from './hardware/cpu-info.ts'
import { readDisk } from './hardware/disk.ts'
import { readFpgas } from './hardware/fpga.ts'
import { gpusByMake, readGpus } from './hardware/gpu.ts'
import { KernelFiles } from './hardware/kernel-files.ts'
import { readMemory } from './hardware/memory.ts'
import { readNetworkLinks } from './hardware/network.ts'
import { localGpus, type OneGpu } from './hardware/one-gpu.ts'
import { readPci } from './hardware/pci.ts'
import { PciNames } from './hardware/pci-names.ts'
import { readTees } from './hardware/tee.ts'
import { readTpus } from './hardware/tpu.ts'

/** Where to look. */
export interface HardwareProbeOptions {
  /** Folder whose file system jobs will use: its free space is the disk offered. */
  readonly workDir: string
  /** What stands for `/` when kernel files are read. @default `/` */
  readonly root?: string
  /** How long NVIDIA's tool may take to tell the memory of its cards, ms. @default DEFAULTS.smiTimeoutMs */
  readonly smiTimeoutMs?: number
}

/** `smiTimeoutMs` leaves the files 100 ms of the 250 that detection may take. */
export const DEFAULTS = {
  root: '/',
  smiTimeoutMs: 150,
} as const satisfies Partial<HardwareProbeOptions>

/** Detects what this machine has; its GPUs are asked for once. What cannot be read counts as absent; nothing throws. */
export function createHardwareProbe(options: HardwareProbeOptions): HardwareProbe {
  const { workDir, root, smiTimeoutMs } = { ...DEFAULTS, ...options }
  const files = new KernelFiles(root)
  const names = new PciNames(files)
  let cards: Promise<readonly OneGpu[]> | undefined
  // once for both questions, because NVIDIA's tool may take long
  const gpusOnce = async () =>
    (cards ??= readPci(files).then((pci) => readGpus(files, pci, names, smiTimeoutMs)))
  return {
    async gpus() {
      return localGpus(await gpusOnce())
    },
    async detect() {
      const [info, limits, pci] = await Promise.all([
        readCpuInfo(files),
        readCgroupLimits(files),
        readPci(files),
      ])
      const [cpu, memory, disk, gpus, fpgas, tpus, tees, networkLinks] = await Promise.all([
        readCpu(files, info, limits),
        readMemory(files, limits),
        readDisk(workDir),
        gpusOnce(),
        readFpgas(files, pci, names),
        readTpus(files, pci),
        readTees(files, info),
        readNetworkLinks(files),
      ])
      return { ...cpu, ...memory, ...disk, gpus: gpusByMake(gpus), fpgas, tpus, tees, networkLinks }
    },
  }
}
