import assert from 'node:assert/strict'
import { test } from 'node:test'
import { second } from '../../../node/domain/units.ts'
import { HiveError } from '../../../node/domain/errors.ts'
import { whileHeard } from '../../../node/services/requester/while-heard.ts'
import { ManualClock } from '../../support/manual-clock.ts'

/** A line that says nothing by itself and is never cut, listened to for at most 15 s of silence. */
function aStalledLine() {
  const clock = new ManualClock()
  const heard = { at: clock.now() }
  const leave = new AbortController()
  const end = Promise.withResolvers<string>()
  const options = { heard, maxSilenceMs: 15 * second, signal: leave.signal }
  const listening = whileHeard(clock, options, async (signal) => {
    signal.addEventListener('abort', () => end.reject(signal.reason as Error), { once: true })
    return end.promise
  })
  return { clock, heard, leave, end, listening }
}

test('a line that is not cut and silent for too long counts as lost', async () => {
  const { clock, listening } = aStalledLine()
  const lost = assert.rejects(listening, { code: 'PROVIDER_LOST' })
  await clock.advance(15 * second)
  await lost
})

test('each word on a line puts off that it counts as lost', async () => {
  const { clock, heard, end, listening } = aStalledLine()
  for (let words = 0; words < 5; words++) {
    await clock.advance(14 * second)
    heard.at = clock.now()
  }
  end.resolve('the end')
  assert.equal(await listening, 'the end')
  assert.equal(clock.sleeping, 0)
})

test('who leaves a line hears its own reason, and nothing waits on', async () => {
  const { clock, leave, listening } = aStalledLine()
  const left = assert.rejects(listening, { code: 'CANCELLED' })
  await clock.advance(second)
  leave.abort(new HiveError('CANCELLED'))
  await left
  assert.equal(clock.sleeping, 0)
})
