import type { KernelFiles } from '../hardware/kernel-files.ts'

const MAX_SENSORS = 64
/** Drivers of sensors inside processors. */
const PROCESSORS: ReadonlySet<string> = new Set([
  'coretemp',
  'k10temp',
  'zenpower',
  'cpu_thermal',
  'soc_thermal',
])
/** Sensors that are not there say so by figures outside of these, °C. */
const [MIN_C, MAX_C] = [-40, 150]

/** The hottest sensor of a processor, °C; of anything where no sensor says what it is of. */
export async function readTemperature(files: KernelFiles): Promise<number | undefined> {
  const monitors = await files.names('sys/class/hwmon', MAX_SENSORS)
  const own = await Promise.all(
    monitors.map(async (name) => {
      const at = `sys/class/hwmon/${name}`
      const driver = (await files.text(`${at}/name`))?.trim() ?? ''
      return PROCESSORS.has(driver) ? readInputs(files, at) : []
    }),
  )
  const found = own.flat()
  if (found.length > 0) return Math.max(...found)
  const zones = await files.names('sys/class/thermal', MAX_SENSORS)
  const temperatures = await Promise.all(
    zones
      .filter((name) => name.startsWith('thermal_zone'))
      .map(async (name) => readMilli(files, `sys/class/thermal/${name}/temp`)),
  )
  const known = temperatures.filter((each) => each !== undefined)
  return known.length === 0 ? undefined : Math.max(...known)
}

/** Every temperature of one monitor, °C. */
export async function readInputs(files: KernelFiles, at: string): Promise<readonly number[]> {
  const names = await files.names(at, 4 * MAX_SENSORS)
  const inputs = names.filter((name) => /^temp\d{1,3}_input$/.test(name))
  const values = await Promise.all(inputs.map(async (name) => readMilli(files, `${at}/${name}`)))
  return values.filter((value) => value !== undefined)
}

async function readMilli(files: KernelFiles, path: string): Promise<number | undefined> {
  const milli = /^\s*(-?\d{1,7})\s*$/.exec((await files.text(path)) ?? '')?.[1]
  const degrees = Number(milli) / 1000
  return milli !== undefined && degrees > MIN_C && degrees < MAX_C ? degrees : undefined
}
