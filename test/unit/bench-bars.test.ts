import assert from 'node:assert/strict'
import { test } from 'node:test'
import { brokenBars, holdsBar } from '../../scripts/bench/bars.ts'

const names = (values: Readonly<Record<string, number>>) =>
  brokenBars(Object.entries(values).map(([name, value]) => ({ name, value }))).map(
    ({ name }) => name,
  )

test('bars: a figure on its bar holds it, one past it does not, whichever side is the good one', () => {
  const on = { 'hardware detection, median': 250, 'no-op jobs through the sandbox': 1000 }
  const past = { 'hardware detection, median': 250.1, 'no-op jobs through the sandbox': 999 }
  assert.deepEqual(names(on), [])
  assert.deepEqual(names(past), Object.keys(past))
})

test('bars: what could not be measured holds none, and what nothing is promised of breaks none', () => {
  assert.deepEqual(names({ 'hardware detection, median': NaN }), ['hardware detection, median'])
  assert.equal(holdsBar({ name: 'gas of open', value: 1e9 }), undefined)
  assert.deepEqual(names({ 'gas of open': 1e9 }), [])
})
