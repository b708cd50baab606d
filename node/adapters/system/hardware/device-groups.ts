import type { Device } from '../../../domain/devices.ts'
import { grouped } from './grouped.ts'
import { printable } from './printable.ts'

/** Makes of one sort listed one by one. */
const MAX_GROUPS = 4
/** Longest name, characters. */
const MAX_MODEL_CHARS = 64

/** Devices counted by model, short enough for an advert. */
export function deviceGroups(models: readonly string[]): readonly Device[] {
  const devices = models.map((model) => ({ model: printable(model, MAX_MODEL_CHARS) || 'unknown' }))
  return grouped(devices, MAX_GROUPS, { model: 'others' })
}
