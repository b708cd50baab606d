import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BackOff } from '../../../../node/adapters/libp2p/back-off.ts'
import { RequestQuota } from '../../../../node/adapters/libp2p/request-quota.ts'
import { minute, second } from '../../../../node/domain/units.ts'

test('quota: no minute, wherever it starts, has more than the limit', () => {
  const quota = new RequestQuota()
  const taken = [0, 10, 59_999, minute, minute + 9, minute + 10].map((now) =>
    quota.take('peer', 2, now),
  )
  // the third comes within a minute of two, the fourth just after the first left it
  assert.deepEqual(taken, [true, true, false, true, false, true])
})

test('quota: one key does not use up another’s', () => {
  const quota = new RequestQuota()
  assert.equal(quota.take('a', 1, 0), true)
  assert.equal(quota.take('b', 1, 0), true)
  assert.equal(quota.take('a', 1, 0), false)
})

test('quota: strangers with ever new names cannot make it grow for ever', () => {
  const quota = new RequestQuota()
  for (let peer = 0; peer < 20_000; peer += 1) quota.take(`p${peer}`, 1, 0)
  // the oldest was forgotten, the newest was not
  assert.equal(quota.take('p0', 1, 1), true)
  assert.equal(quota.take('p19999', 1, 1), false)
})

test('back-off: pauses double from one second to one minute and never end', () => {
  const backOff = new BackOff()
  const pauses = Array.from({ length: 9 }, () => {
    backOff.failed('peer', 0)
    return backOff.dueAt('peer') / second
  })
  assert.deepEqual(pauses, [1, 2, 4, 8, 16, 32, 60, 60, 60])
})

test('back-off: success forgets the failures', () => {
  const backOff = new BackOff()
  backOff.failed('peer', 0)
  backOff.failed('peer', 0)
  backOff.succeeded('peer')
  assert.equal(backOff.dueAt('peer'), 0)
  backOff.failed('peer', 0)
  assert.equal(backOff.dueAt('peer'), second)
})
