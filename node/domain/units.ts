/** Bytes. */
export const KiB = 1024
/** Bytes. */
export const MiB = 1024 * KiB
/** Bytes. */
export const GiB = 1024 * MiB
/** Milliseconds. */
export const second = 1000
/** Milliseconds. */
export const minute = 60 * second
/** Milliseconds. */
export const hour = 60 * minute
/** Milliseconds. */
export const day = 24 * hour

const BYTE_UNITS: Readonly<Record<string, number>> = {
  B: 1,
  KiB,
  MiB,
  GiB,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
}
const TIME_UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: second,
  m: minute,
  h: hour,
  d: day,
}

/** Reads `256MiB`, `1.5GiB` or a plain count of bytes; `undefined` when it is neither. */
export function parseBytes(text: string | number): number | undefined {
  return parseUnits(text, BYTE_UNITS, 'B')
}

/** Reads `90s`, `5m`, `250ms` or a plain number of seconds into milliseconds; `undefined` when it is neither. */
export function parseDuration(text: string | number): number | undefined {
  return parseUnits(text, TIME_UNITS, 's')
}

/** A duration as people read it. */
export function formatDuration(ms: number): string {
  if (ms < second) return `${Math.round(ms)} ms`
  const tenths = Math.round(ms / (second / 10))
  if (tenths < 600) return `${(tenths / 10).toFixed(1)} s`
  const seconds = Math.round(ms / second)
  return `${Math.floor(seconds / 60)} m ${seconds % 60} s`
}

/** A size as people read it. */
export function formatBytes(bytes: number): string {
  if (bytes >= GiB) return `${(bytes / GiB).toFixed(1)} GiB`
  if (bytes >= MiB) return `${(bytes / MiB).toFixed(1)} MiB`
  if (bytes >= KiB) return `${(bytes / KiB).toFixed(1)} KiB`
  return `${bytes} B`
}

function parseUnits(
  text: string | number,
  units: Readonly<Record<string, number>>,
  bare: string,
): number | undefined {
  const match = /^(\d{1,12}(?:\.\d{1,6})?)\s*([A-Za-z]*)$/.exec(String(text).trim())
  const factor = units[match?.[2] === '' ? bare : (match?.[2] ?? '')]
  if (match === null || factor === undefined) return undefined
  const value = Math.round(Number(match[1]) * factor)
  return Number.isSafeInteger(value) ? value : undefined
}
