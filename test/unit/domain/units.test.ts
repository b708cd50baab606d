import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  formatBytes,
  formatDuration,
  GiB,
  hour,
  KiB,
  MiB,
  minute,
  parseBytes,
  parseDuration,
  second,
} from '../../../node/domain/units.ts'

test('sizes read as people write them, plain numbers as bytes', () => {
  assert.equal(parseBytes('256MiB'), 256 * MiB)
  assert.equal(parseBytes(' 1.5 GiB '), 1.5 * GiB)
  assert.equal(parseBytes('2GB'), 2e9)
  assert.equal(parseBytes('10'), 10)
  assert.equal(parseBytes(10), 10)
  assert.equal(parseBytes('0'), 0)
})

test('durations read as people write them, plain numbers as seconds', () => {
  assert.equal(parseDuration('250ms'), 250)
  assert.equal(parseDuration('90s'), 90 * second)
  assert.equal(parseDuration('5m'), 5 * minute)
  assert.equal(parseDuration('24h'), 24 * hour)
  assert.equal(parseDuration('7d'), 168 * hour)
  assert.equal(parseDuration('1.5'), 1500)
})

test('what is neither is undefined, never a wrong number', () => {
  for (const text of [
    '',
    'MiB',
    '-1',
    '1e3',
    '1 2',
    '10 parsecs',
    '5constructor',
    '5__proto__',
    'NaN',
    '999999999999GiB',
  ])
    assert.equal(parseBytes(text), undefined, text)
  for (const text of ['', '-5s', '5w', '5MiB', '1:30', 'Infinity'])
    assert.equal(parseDuration(text), undefined, text)
  for (const number of [Number.NaN, -1, Infinity]) assert.equal(parseDuration(number), undefined)
})

test('any text reads to a whole number of bytes or to nothing', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const bytes = parseBytes(text)
      assert.ok(bytes === undefined || (Number.isSafeInteger(bytes) && bytes >= 0))
    }),
  )
})

test('durations are shown without a sixtieth second', () => {
  assert.equal(formatDuration(7), '7 ms')
  assert.equal(formatDuration(1500), '1.5 s')
  assert.equal(formatDuration(59_940), '59.9 s')
  assert.equal(formatDuration(59_990), '1 m 0 s')
  assert.equal(formatDuration(minute), '1 m 0 s')
  assert.equal(formatDuration(2 * minute - 1), '2 m 0 s')
  assert.equal(formatDuration(125 * second), '2 m 5 s')
})

test('sizes are shown in the largest unit they fill', () => {
  assert.equal(formatBytes(1023), '1023 B')
  assert.equal(formatBytes(KiB), '1.0 KiB')
  assert.equal(formatBytes(1.5 * MiB), '1.5 MiB')
  assert.equal(formatBytes(3 * GiB), '3.0 GiB')
})
