import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HiveError } from '../../../node/domain/errors.ts'
import type { Requests } from '../../../node/ports/requests.ts'
import { aRequest, finished, TestMarket } from '../../support/test-market.ts'

const { signal } = new AbortController()

/** A job of two tasks at a market whose provider declines so many awards as busy. */
async function jobAfter(declines: number) {
  const market = new TestMarket()
  const alice = market.member()
  const { requests } = market.parts(alice)
  let awards = 0
  const overtaken: Requests = {
    answer: (...args) => requests.answer(...args),
    answerStream: (...args) => requests.answerStream(...args),
    stream: (...args) => requests.stream(...args),
    call: async (peer, protocol, ...rest) => {
      if (protocol === 'award' && awards++ < declines) throw new HiveError('DECLINED_BUSY')
      return requests.call(peer, protocol, ...rest)
    },
  }
  await using requester = await market.requester(alice, {}, { requests: overtaken })
  await using _ = await market.provider(market.member())
  const changes = { attempts: 1, bidWindowMs: 400, bidsWanted: 1, spec: { tasks: 2 } }
  const request = await aRequest(alice, {}, changes)
  const { id } = await requester.submit(request, signal)
  return await finished(requester, id)
}

test('an award that comes after those of others have filled the queue: its tasks are offered anew at once', async () => {
  const job = await jobAfter(3)
  assert.deepEqual([job.state, job.offers.length], ['settled', 4])
  assert.deepEqual(job.answers?.[0]?.refusals, [{ code: 'DECLINED_BUSY', count: 1 }])
})

test('who is overtaken again and again gives up, and says by what', async () => {
  const job = await jobAfter(100)
  assert.deepEqual([job.state, job.offers.length, job.error?.code], ['failed', 4, 'NO_BIDS'])
  assert.deepEqual(job.error?.data['reasons'], ['DECLINED_BUSY'])
})
