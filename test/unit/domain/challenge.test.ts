import assert from 'node:assert/strict'
import { test } from 'node:test'
import { blocksFor, coresShown, lanesFor, showsClaim } from '../../../node/domain/challenge.ts'
import { GiB } from '../../../node/domain/units.ts'

const claim = (cores: number, physicalCores?: number) => ({
  cores,
  memoryBytes: 8 * GiB,
  ...(physicalCores !== undefined && { physicalCores }),
})

test('challenge: chains that take as long together as one alone show every core', () => {
  assert.equal(coresShown({ oneLaneMs: 500, allLanesMs: 500, lanes: 8 }), 8)
  assert.equal(coresShown({ oneLaneMs: 500, allLanesMs: 1000, lanes: 8 }), 4)
  assert.equal(coresShown({ oneLaneMs: 500, allLanesMs: 100, lanes: 8 }), 8)
  assert.equal(coresShown({ oneLaneMs: 500, allLanesMs: 0, lanes: 8 }), 0)
})

test('challenge: half the claimed cores are less than claimed, a busy tenth is not', () => {
  assert.equal(showsClaim(claim(8), { oneLaneMs: 500, allLanesMs: 1000, lanes: 8 }), false)
  assert.equal(showsClaim(claim(8), { oneLaneMs: 500, allLanesMs: 550, lanes: 8 }), true)
})

test('challenge: two threads of a core need not be two cores, where that is told', () => {
  const times = { oneLaneMs: 500, allLanesMs: 900, lanes: 8 }
  assert.equal(showsClaim(claim(8), times), false)
  assert.equal(showsClaim(claim(8, 4), times), true)
})

test('challenge: what is asked has bounds, whatever is claimed', () => {
  assert.equal(lanesFor(claim(0)), 1)
  assert.equal(lanesFor(claim(100_000)), 64)
  assert.equal(blocksFor({ cores: 1, memoryBytes: 2 * GiB + 5 }), 2)
  assert.equal(blocksFor({ cores: 1, memoryBytes: GiB - 1 }), 0)
  assert.equal(blocksFor({ cores: 1, memoryBytes: Number.MAX_SAFE_INTEGER }), 4)
})
