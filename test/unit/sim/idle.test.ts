import assert from 'node:assert/strict'
import { test } from 'node:test'
import { idleFigures } from '../../../scripts/sim/report/idle.ts'

const MB = 1e6

test('what an idle node tells others of itself is less than a megabyte an hour, its self-check and tags included', async () => {
  const told = (await idleFigures(100, 5)).filter(({ gossip }) => gossip)
  const of = (start: string) => told.find(({ name }) => name.startsWith(start))?.bytesPerHour ?? 0
  for (const name of ['adverts', 'capability tags', 'self-check']) assert.ok(of(name) > 0, name)
  const sum = told.reduce((bytes, { bytesPerHour }) => bytes + bytesPerHour, 0)
  assert.ok(sum < 1 * MB, `${sum} bytes`)
})
