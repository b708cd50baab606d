import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isWithin, parseHours, wallClock } from '../../../node/domain/hours.ts'

const [mon, , , , fri, sat, sun] = [0, 1, 2, 3, 4, 5, 6]
const at = (weekday: number, clock: string) => {
  const [hour = 0, minute = 0] = clock.split(':').map(Number)
  return { weekday, minute: hour * 60 + minute }
}
const open = (text: string, weekday: number, clock: string) => {
  const window = parseHours(text)
  assert.ok(window, text)
  return isWithin([window], at(weekday, clock))
}

test('hours: from the first minute to the last but one', () => {
  const shown = ['08:59', '09:00', '16:59', '17:00'].map((time) => open('09:00-17:00', mon, time))
  assert.deepEqual(shown, [false, true, true, false])
})

test('hours over midnight: they belong to the day on which they begin', () => {
  const text = 'fri-sat 22:00-06:00'
  assert.deepEqual(
    [
      open(text, fri, '05:00'),
      open(text, fri, '22:00'),
      open(text, sat, '05:59'),
      open(text, sat, '06:00'),
      open(text, sun, '05:59'),
      open(text, sun, '22:00'),
    ],
    [false, true, true, false, true, false],
  )
})

test('hours over midnight from Sunday go on into Monday', () => {
  assert.equal(open('sun 23:00-01:00', mon, '00:30'), true)
  assert.equal(open('sun 23:00-01:00', sun, '00:30'), false)
})

test('hours: a range of days may go over the weekend, and a day may be whole', () => {
  assert.deepEqual(parseHours('sat-mon 00:00-24:00')?.days, [5, 6, 0])
  assert.equal(open('sat 00:00-24:00', sat, '23:59'), true)
  assert.equal(open('sat 00:00-24:00', sun, '00:00'), false)
})

test('hours: what is no stretch of a day is not read', () => {
  const bad = ['', '9-17', '09:00', '25:00-26:00', '09:60-10:00', '24:00-01:00', 'xxx 09:00-10:00']
  for (const text of [...bad, 'mon-xxx 09:00-10:00', 'mon 09:00-10:00 x', '09:00-24:01'])
    assert.equal(parseHours(text), undefined, text)
})

test('hours: a window and the one from its end to its start share the whole day, and no minute', () => {
  const clock = fc
    .integer({ min: 0, max: 1439 })
    .map((m) => `${String(Math.floor(m / 60)).padStart(2, '0')}:${String(m % 60).padStart(2, '0')}`)
  const day = fc.integer({ min: 0, max: 6 })
  fc.assert(
    fc.property(clock, clock, day, clock, (from, to, weekday, time) => {
      fc.pre(from !== to)
      const within = open(`${from}-${to}`, weekday, time)
      assert.notEqual(within, open(`${to}-${from}`, weekday, time))
    }),
  )
})

test('wall clock: summer time comes and goes as it does on the wall', () => {
  const shown = wallClock('Europe/Berlin')
  const clock = (utc: string) => shown(Date.parse(utc))
  assert.deepEqual(clock('2026-03-29T00:59:00Z'), at(sun, '01:59'))
  assert.deepEqual(clock('2026-03-29T01:00:00Z'), at(sun, '03:00'))
  assert.deepEqual(clock('2026-10-25T00:30:00Z'), at(sun, '02:30'))
  assert.deepEqual(clock('2026-10-25T01:30:00Z'), at(sun, '02:30'))
  assert.deepEqual(clock('2026-10-25T23:00:00Z'), at(mon, '00:00'))
})

test('wall clock: hours end by the wall on the night that is an hour shorter, and on the longer one', () => {
  const shown = wallClock('Europe/Berlin')
  const window = parseHours('22:00-06:00')
  assert.ok(window)
  const within = (utc: string) => isWithin([window], shown(Date.parse(utc)))
  assert.deepEqual([within('2026-03-29T03:59:00Z'), within('2026-03-29T04:00:00Z')], [true, false])
  assert.deepEqual([within('2026-10-25T04:59:00Z'), within('2026-10-25T05:00:00Z')], [true, false])
})

test('wall clock: no such zone is a RangeError', () => {
  assert.throws(() => wallClock('Mars/Olympus'), RangeError)
})
