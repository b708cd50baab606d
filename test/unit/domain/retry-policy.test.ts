import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DEFAULT_RETRY, pauseAfter, triesAgain } from '../../../node/domain/retry-policy.ts'

const exit = (exitCode: number) => ({ reason: 'exit', exitCode }) as const

test('retry policy: exit codes by number, by nonzero, and 0 never', () => {
  const policy = (...on: (number | 'nonzero')[]) => ({ ...DEFAULT_RETRY, on })
  assert.ok(triesAgain(policy(3), exit(3)))
  assert.ok(!triesAgain(policy(3), exit(4)))
  assert.ok(triesAgain(policy('nonzero'), exit(255)))
  assert.ok(!triesAgain(policy('nonzero', 0), exit(0)))
})

test('retry policy: a reason is named by its word, whatever exit code comes with it', () => {
  const policy = { ...DEFAULT_RETRY, on: ['timeout' as const, 137] }
  assert.ok(triesAgain(policy, { reason: 'timeout', exitCode: 0 }))
  assert.ok(!triesAgain(policy, { reason: 'oom', exitCode: 137 }))
})

test('retry policy: without one, only what is the provider’s doing is tried again', () => {
  assert.ok(triesAgain(DEFAULT_RETRY, { reason: 'killed', exitCode: -1 }))
  for (const reason of ['timeout', 'oom', 'fuel', 'disk-limit', 'output-limit'] as const)
    assert.ok(!triesAgain(DEFAULT_RETRY, { reason, exitCode: -1 }), reason)
  assert.ok(!triesAgain(DEFAULT_RETRY, exit(1)))
})

test('back-off: grows by its factor from the first pause, and no further than the most', () => {
  const backOff = { firstMs: 100, factor: 2.5, mostMs: 1000 }
  assert.deepEqual(
    [1, 2, 3, 4, 400].map((runs) => pauseAfter(runs, backOff)),
    [100, 250, 625, 1000, 1000],
  )
})
