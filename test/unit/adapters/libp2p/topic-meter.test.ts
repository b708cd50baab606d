import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TopicMeter } from '../../../../node/adapters/libp2p/topic-meter.ts'
import { minute } from '../../../../node/domain/units.ts'

test('a topic: so many are taken in a minute from all together, the rest is dropped at no cost', () => {
  const meter = new TopicMeter(3)
  const senders = ['a', 'b', 'c', 'd', 'e']
  assert.deepEqual(
    senders.map((sender) => meter.take(sender, 1000)),
    ['take', 'take', 'take', 'drop', 'drop'],
  )
  assert.equal(meter.take('a', 1000 + minute - 1), 'drop')
  assert.equal(meter.take('a', 1000 + minute), 'take')
})

test('a topic: who alone sends more than any honest neighbour could floods, and shuts out nobody', () => {
  const meter = new TopicMeter(4)
  const flows = Array.from({ length: 10 }, () => meter.take('a', 0))
  assert.deepEqual(new Set(flows.slice(0, 2)), new Set(['take']))
  assert.deepEqual(new Set(flows.slice(2, 8)), new Set(['drop']))
  assert.deepEqual(flows.slice(8), ['flood', 'flood'])
  assert.deepEqual(
    [meter.take('b', 0), meter.take('b', 0), meter.take('c', 0)],
    ['take', 'take', 'drop'],
  )
})
