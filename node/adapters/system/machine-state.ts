import { second } from '../../domain/units.ts'
import type { Clock } from '../../ports/clock.ts'
import type { MachineCondition, MachineState } from '../../ports/machine-state.ts'
import { KernelFiles } from './hardware/kernel-files.ts'
import { Activity } from './machine/activity.ts'
import { readOnBattery } from './machine/power.ts'

export interface MachineStateOptions {
  /** What stands for `/` when kernel files are read. @default `/` */
  readonly root?: string
  /** How long one look is good for, ms. @default DEFAULTS.keepMs */
  readonly keepMs?: number
}

/** A look takes about a millisecond; offers may come by the hundred. */
export const DEFAULTS = {
  root: '/',
  keepMs: 3 * second,
} as const satisfies Required<MachineStateOptions>

/** Looks at power supplies, terminals and input devices of this machine. */
export function createMachineState(
  { clock }: { readonly clock: Clock },
  options: MachineStateOptions = {},
): MachineState {
  const { root, keepMs } = { ...DEFAULTS, ...options }
  const files = new KernelFiles(root)
  const activity = new Activity(files)
  let last: { readonly at: number; readonly found: Promise<Look> } | undefined
  return {
    async read(): Promise<MachineCondition> {
      const now = clock.now()
      if (last === undefined || now - last.at >= keepMs || now < last.at)
        last = { at: now, found: look(files, activity, now) }
      const { onBattery, lastUse } = await last.found
      return {
        onBattery,
        idleMs: lastUse === undefined ? undefined : Math.max(0, now - lastUse),
      }
    },
  }
}

interface Look {
  readonly onBattery: boolean
  readonly lastUse: number | undefined
}

async function look(files: KernelFiles, activity: Activity, now: number): Promise<Look> {
  const [onBattery, lastUse] = await Promise.all([readOnBattery(files), activity.lastUse(now)])
  return { onBattery, lastUse }
}
