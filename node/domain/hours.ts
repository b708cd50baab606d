/** A stretch of the day, on some days of the week. */
export interface HourWindow {
  /** Days on which it begins; 0 is Monday. */
  readonly days: readonly number[]
  /** Minutes after midnight. */
  readonly from: number
  /** Minutes after midnight, up to 1440; at or before `from` it is on the next day. */
  readonly to: number
}

/** What the clock on the wall shows. */
export interface LocalTime {
  /** 0 is Monday. */
  readonly weekday: number
  /** Minutes after midnight. */
  readonly minute: number
}

const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']
const DAY_MINUTES = 24 * 60
const WINDOW = /^(?:([a-z]{3})(?:-([a-z]{3}))? +)?(\d{2}):(\d{2})-(\d{2}):(\d{2})$/

/** Whether the time lies in one of the windows: its first minute does, its last does not. */
export function isWithin(windows: readonly HourWindow[], time: LocalTime): boolean {
  const { weekday, minute } = time
  const dayBefore = (weekday + DAYS.length - 1) % DAYS.length
  return windows.some(({ days, from, to }) => {
    const overnight = to <= from
    const today = days.includes(weekday) && minute >= from && (overnight || minute < to)
    return today || (overnight && days.includes(dayBefore) && minute < to)
  })
}

/** Reads `22:00-06:00` (every day), `sat 00:00-24:00` or `mon-fri 18:30-08:00`; `undefined` otherwise. */
export function parseHours(text: string): HourWindow | undefined {
  const [, first, last = first, ...clock] = WINDOW.exec(text.trim().toLowerCase()) ?? []
  const [fromHour = NaN, fromMinute = NaN, toHour = NaN, toMinute = NaN] = clock.map(Number)
  const from = minuteOf(fromHour, fromMinute)
  const to = minuteOf(toHour, toMinute)
  const days = first === undefined ? [...DAYS.keys()] : daysBetween(first, last ?? first)
  const valid = from !== undefined && from < DAY_MINUTES && to !== undefined && days.length > 0
  return valid ? { days, from, to } : undefined
}

/** By zone: one takes tens of kilobytes, and a process may hold many nodes. */
const formats = new Map<string, Intl.DateTimeFormat>()

/** What shows the local time of a zone at a Unix time in ms, summer time and all. Throws RangeError for no zone. */
export function wallClock(timeZone: string): (at: number) => LocalTime {
  const format = formats.get(timeZone) ?? formatOf(timeZone)
  formats.set(timeZone, format)
  return (at) => {
    const parts = new Map(format.formatToParts(at).map(({ type, value }) => [type, value]))
    return {
      weekday: DAYS.indexOf((parts.get('weekday') ?? '').toLowerCase()),
      minute: Number(parts.get('hour')) * 60 + Number(parts.get('minute')),
    }
  }
}

function formatOf(timeZone: string): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat('en-GB', {
    timeZone,
    hourCycle: 'h23',
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
  })
}

function minuteOf(hour: number, minute: number): number | undefined {
  const total = hour * 60 + minute
  return minute < 60 && total <= DAY_MINUTES ? total : undefined
}

/** From one day to another, over the weekend if need be; empty for what is no day. */
function daysBetween(first: string, last: string): number[] {
  const start = DAYS.indexOf(first)
  const end = DAYS.indexOf(last)
  if (start < 0 || end < 0) return []
  const count = ((end - start + DAYS.length) % DAYS.length) + 1
  return Array.from({ length: count }, (_, at) => (start + at) % DAYS.length)
}
