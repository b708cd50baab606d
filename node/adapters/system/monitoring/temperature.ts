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

/** The sensors of the processors; those of anything where no sensor says what it is of. */
export async function findSensors(files: KernelFiles): Promise<readonly string[]> {
  const monitors = await files.names('sys/class/hwmon', MAX_SENSORS)
  const own = await Promise.all(
    monitors.map(async (name) => {
      const at = `sys/class/hwmon/${name}`
      const driver = (await files.text(`${at}/name`))?.trim() ?? ''
      return PROCESSORS.has(driver) ? findInputs(files, at) : []
    }),
  )
  if (own.flat().length > 0) return own.flat()
  const zones = await files.names('sys/class/thermal', MAX_SENSORS)
  return zones
    .filter((name) => name.startsWith('thermal_zone'))
    .map((name) => `sys/class/thermal/${name}/temp`)
}

/** Every sensor of one monitor. */
export async function findInputs(files: KernelFiles, at: string): Promise<readonly string[]> {
  const names = await files.names(at, 4 * MAX_SENSORS)
  return names.filter((name) => /^temp\d{1,3}_input$/.test(name)).map((name) => `${at}/${name}`)
}

/** The hottest of some sensors, °C. */
export async function readHottest(
  files: KernelFiles,
  sensors: readonly string[],
): Promise<number | undefined> {
  const values = await Promise.all(sensors.map(async (path) => readMilli(files, path)))
  const known = values.filter((value) => value !== undefined)
  return known.length === 0 ? undefined : Math.max(...known)
}

async function readMilli(files: KernelFiles, path: string): Promise<number | undefined> {
  const milli = /^\s*(-?\d{1,7})\s*$/.exec((await files.text(path)) ?? '')?.[1]
  const degrees = Number(milli) / 1000
  return milli !== undefined && degrees > MIN_C && degrees < MAX_C ? degrees : undefined
}
