import type { GpuSample } from '../../../domain/machine-sample.ts'
import type { KernelFiles } from '../hardware/kernel-files.ts'
import { findInputs, readHottest } from './temperature.ts'

const MAX_CARDS = 256
const AMD = '0x1002'

/** A card, and where it tells what it does. */
export interface AmdCard {
  readonly at: string
  readonly model: string
  readonly power?: string
  readonly sensors: readonly string[]
}

/** The cards of AMD's driver. */
export async function findAmdCards(files: KernelFiles): Promise<readonly AmdCard[]> {
  const names = await files.names('sys/class/drm', MAX_CARDS)
  const cards = names.filter((name) => /^card\d{1,3}$/.test(name))
  const found = await Promise.all(
    cards.map(async (name) => cardAt(files, `sys/class/drm/${name}/device`)),
  )
  return found.filter((each) => each !== undefined)
}

/** What a card does. */
export async function sampleAmdCard(
  files: KernelFiles,
  { at, model, power, sensors }: AmdCard,
): Promise<GpuSample> {
  const [busy, memoryUsedBytes, temperatureC, microwatts] = await Promise.all([
    files.number(`${at}/gpu_busy_percent`),
    files.number(`${at}/mem_info_vram_used`),
    readHottest(files, sensors),
    power === undefined ? undefined : files.number(power),
  ])
  return {
    model,
    ...(busy !== undefined && busy <= 100 && { busy: busy / 100 }),
    ...(memoryUsedBytes !== undefined && { memoryUsedBytes }),
    ...(temperatureC !== undefined && { temperatureC }),
    ...(microwatts !== undefined && { powerWatts: microwatts / 1e6 }),
  }
}

async function cardAt(files: KernelFiles, at: string): Promise<AmdCard | undefined> {
  if ((await files.text(`${at}/vendor`))?.trim() !== AMD) return undefined
  const product = (await files.text(`${at}/product_name`)) ?? ''
  const model =
    product
      .replace(/[^ -~]/g, '')
      .trim()
      .slice(0, 80) || 'AMD'
  const [monitor] = await files.names(`${at}/hwmon`, 1)
  if (monitor === undefined) return { at, model, sensors: [] }
  const own = `${at}/hwmon/${monitor}`
  return { at, model, power: `${own}/power1_average`, sensors: await findInputs(files, own) }
}
