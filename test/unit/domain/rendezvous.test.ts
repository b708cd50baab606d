import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import type { Bytes32 } from '../../../node/domain/ids.ts'
import {
  LEAST_HEARERS,
  listeningDepth,
  MAX_SHELF_DEPTH,
  nextBidShare,
  offerDepth,
  prefixOf,
  wideningFactor,
} from '../../../node/domain/rendezvous.ts'

const point = (text: string): Bytes32 => `0x${createHash('sha256').update(text).digest('hex')}`

test('the prefix of a point is its first bits', () => {
  const one: Bytes32 = `0x5a${'00'.repeat(31)}`
  assert.equal(prefixOf(one, 0), '')
  assert.equal(prefixOf(one, 3), '010')
  assert.equal(prefixOf(one, 4), '0101')
  assert.equal(prefixOf(one, 7), '0101101')
  assert.equal(prefixOf(one, 10), '0101101000')
})

test('in a small network all hear every offer; in a large one as many as in one a hundred times smaller', () => {
  for (const few of [0, 1, 4, 16, 31]) assert.equal(offerDepth(few, 1, 3), 0)
  for (const many of [100, 1000, 10_000, 100_000]) {
    const hearers = many / 2 ** offerDepth(many, 1, 3)
    assert.ok(hearers >= LEAST_HEARERS && hearers < 4 * LEAST_HEARERS, `${hearers} of ${many}`)
  }
})

test('more are asked where more bids are wanted or fewer hearers bid, at last all', () => {
  assert.ok(offerDepth(10_000, 1, 50) < offerDepth(10_000, 1, 3))
  assert.ok(offerDepth(10_000, 0.1, 3) < offerDepth(10_000, 1, 3))
  assert.equal(offerDepth(10_000, 1 / 64, 100), 0)
})

test('providers listen deeper than an offer begins, also when their count is half of the requester’s', () => {
  for (let listeners = 1; listeners < 1e7; listeners *= 1.7)
    assert.ok(
      listeningDepth(listeners / 2) >= Math.min(offerDepth(listeners, 1, 1), MAX_SHELF_DEPTH),
    )
})

test('of many nodes those hear an offer that it comes nearest to: width times nodes, each as often over time', () => {
  const nodes = Array.from({ length: 1000 }, (_, n) => point(`node ${n}`))
  const depth = 4
  const heard = new Map(nodes.map((node) => [node, 0]))
  const offers = 1600
  for (let n = 0; n < offers; n++) {
    const offer = prefixOf(point(`offer ${n}`), depth)
    for (const node of nodes)
      if (prefixOf(node, depth) === offer) heard.set(node, (heard.get(node) ?? 0) + 1)
  }
  const counts = [...heard.values()]
  const expected = offers / 2 ** depth
  const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length
  assert.ok(Math.abs(mean - expected) < expected / 10, `${mean} of ${expected}`)
  // five standard deviations of a binomial of that mean
  for (const count of counts) assert.ok(Math.abs(count - expected) < 5 * Math.sqrt(expected))
})

test('each step down has all of the one before, and the last has everybody', () => {
  const nodes = Array.from({ length: 300 }, (_, n) => point(`node ${n}`))
  const offer = point('offer')
  const on = (depth: number) =>
    nodes.filter((node) => prefixOf(node, depth) === prefixOf(offer, depth))
  for (let depth = 8; depth > 0; depth--)
    assert.ok(on(depth).every((node) => on(depth - 1).includes(node)))
  assert.equal(on(0).length, nodes.length)
})

test('the share of bidders follows what comes back; enough bids are no reason to expect fewer', () => {
  let share = 1
  for (let n = 0; n < 30; n++) share = nextBidShare(share, 40, 4, false)
  assert.ok(Math.abs(share - 0.1) < 0.01, `${share}`)
  assert.equal(nextBidShare(0.5, 40, 4, true), 0.5)
  assert.ok(nextBidShare(0.5, 40, 30, true) > 0.5)
  for (let n = 0; n < 99; n++) share = nextBidShare(share, 40, 0, false)
  assert.ok(share > 0)
  assert.equal(nextBidShare(1, 0, 9, false), 1)
})

test('an offer is widened by as much as should bring twice the bids that are wanted, at least to twice as many', () => {
  assert.equal(wideningFactor(3, 0), 6)
  assert.equal(wideningFactor(3, 1), 3)
  assert.equal(wideningFactor(3, 2), 2)
  assert.equal(wideningFactor(3, 9), 2)
  assert.equal(wideningFactor(50, 4), 20)
})
