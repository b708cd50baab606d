import type { KernelFiles } from '../hardware/kernel-files.ts'

const SUPPLIES = 'sys/class/power_supply'
/** A laptop has about four; more are chargers of things that hang on it. */
const MAX_SUPPLIES = 32

interface Supply {
  readonly type: string
  readonly isOnline: boolean
  readonly isDischarging: boolean
}

/** Whether the machine lives on a battery or a UPS. Source: Documentation/ABI/testing/sysfs-class-power. */
export async function readOnBattery(files: KernelFiles): Promise<boolean> {
  const names = await files.names(SUPPLIES, MAX_SUPPLIES)
  const all = await Promise.all(names.map(async (name) => readSupply(files, `${SUPPLIES}/${name}`)))
  const supplies = all.filter((supply) => supply !== undefined)
  if (supplies.some(({ type, isDischarging }) => type === 'UPS' && isDischarging)) return true
  const chargers = supplies.filter(({ type }) => type !== 'Battery' && type !== 'UPS')
  if (chargers.some(({ isOnline }) => isOnline)) return false
  const batteries = supplies.filter(({ type }) => type === 'Battery')
  // Some firmware never says "Discharging": a battery beside a charger that is off tells the same.
  return batteries.some(({ isDischarging }) => isDischarging || chargers.length > 0)
}

/** One supply of the machine itself: the battery of a mouse is none. */
async function readSupply(files: KernelFiles, at: string): Promise<Supply | undefined> {
  const word = async (name: string) => ((await files.text(`${at}/${name}`)) ?? '').trim()
  const [type, scope, online, status, present] = await Promise.all(
    ['type', 'scope', 'online', 'status', 'present'].map(word),
  )
  if (type === undefined || type === '' || scope === 'Device' || present === '0') return undefined
  // 2 is a charger that can do more than it gives.
  const isOnline = online === '1' || online === '2'
  return { type, isOnline, isDischarging: status === 'Discharging' }
}
