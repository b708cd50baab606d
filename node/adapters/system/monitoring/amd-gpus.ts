import type { GpuSample } from '../../../domain/machine-sample.ts'
import type { KernelFiles } from '../hardware/kernel-files.ts'
import { readInputs } from './temperature.ts'

const MAX_CARDS = 256
const AMD = '0x1002'

/** What AMD's driver tells of its cards in sysfs. */
export async function readAmdGpus(files: KernelFiles): Promise<readonly GpuSample[]> {
  const names = await files.names('sys/class/drm', MAX_CARDS)
  const cards = names.filter((name) => /^card\d{1,3}$/.test(name))
  const found = await Promise.all(
    cards.map(async (name) => sampleAt(files, `sys/class/drm/${name}/device`)),
  )
  return found.filter((each) => each !== undefined)
}

async function sampleAt(files: KernelFiles, at: string): Promise<GpuSample | undefined> {
  if ((await files.text(`${at}/vendor`))?.trim() !== AMD) return undefined
  const [busy, memoryUsedBytes, product, monitors] = await Promise.all([
    files.number(`${at}/gpu_busy_percent`),
    files.number(`${at}/mem_info_vram_used`),
    files.text(`${at}/product_name`),
    files.names(`${at}/hwmon`, 1),
  ])
  const sensors = `${at}/hwmon/${monitors[0] ?? ''}`
  const temperatures = monitors.length === 0 ? [] : await readInputs(files, sensors)
  const watts = monitors.length === 0 ? undefined : await files.number(`${sensors}/power1_average`)
  return {
    model:
      (product ?? '')
        .replace(/[^ -~]/g, '')
        .trim()
        .slice(0, 80) || 'AMD',
    ...(busy !== undefined && busy <= 100 && { busy: busy / 100 }),
    ...(memoryUsedBytes !== undefined && { memoryUsedBytes }),
    ...(temperatures.length > 0 && { temperatureC: Math.max(...temperatures) }),
    ...(watts !== undefined && { powerWatts: watts / 1e6 }),
  }
}
