import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Clock } from '../../node/ports/clock.ts'

/** A clock under test, and what makes `ms` pass on it. */
export interface ClockUnderTest {
  readonly clock: Clock
  readonly pass: (ms: number) => Promise<void>
}

/** What every Clock promises. */
export function clockKeepsItsPromises(name: string, make: () => ClockUnderTest): void {
  const never = new AbortController().signal

  test(`${name}: a sleep lasts at least its time`, async () => {
    const { clock, pass } = make()
    const start = clock.now()
    const woke = clock.sleep(20, never).then(() => clock.now())
    await pass(30)
    // a timer may fire up to 1 ms early against the clock's own rounding
    assert.ok((await woke) - start >= 19)
  })

  test(`${name}: sleepers wake in the order of their times`, async () => {
    const { clock, pass } = make()
    const order: string[] = []
    const late = clock.sleep(60, never).then(() => order.push('late'))
    const early = clock.sleep(10, never).then(() => order.push('early'))
    await pass(90)
    await Promise.all([late, early])
    assert.deepEqual(order, ['early', 'late'])
  })

  test(`${name}: an abort ends a sleep at once with the signal's reason`, async () => {
    const { clock } = make()
    const stop = new AbortController()
    const reason = new RangeError('enough')
    const sleep = clock.sleep(60_000, stop.signal)
    stop.abort(reason)
    await assert.rejects(sleep, (error) => error === reason)
  })

  test(`${name}: an aborted signal lets no sleep begin`, async () => {
    const { clock } = make()
    const reason = new RangeError('before')
    await assert.rejects(clock.sleep(0, AbortSignal.abort(reason)), (error) => error === reason)
  })

  test(`${name}: a sleep longer than a timer can hold does not end at once`, async () => {
    const { clock, pass } = make()
    const stop = new AbortController()
    let woke = false
    const sleep = clock.sleep(2 ** 31 + 5, stop.signal).then(() => (woke = true))
    await pass(20)
    assert.equal(woke, false)
    stop.abort()
    await assert.rejects(sleep)
  })
}
