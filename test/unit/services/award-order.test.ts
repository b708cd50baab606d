import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Requests } from '../../../node/ports/requests.ts'
import { aRequest, finished, TestMarket } from '../../support/test-market.ts'

const { signal } = new AbortController()

test('two jobs for one provider at once: their awards arrive in the order of their numbers', async () => {
  const market = new TestMarket()
  const alice = market.member()
  const { requests } = market.parts(alice)
  let awards = 0
  const slow: Requests = {
    answer: (...args) => requests.answer(...args),
    answerStream: (...args) => requests.answerStream(...args),
    stream: (...args) => requests.stream(...args),
    call: async (peer, protocol, ...rest) => {
      // the first award would be overtaken by the second if that were sent meanwhile
      if (protocol === 'award' && awards++ === 0)
        for (let turn = 0; turn < 200; turn++) await new Promise(setImmediate)
      return requests.call(peer, protocol, ...rest)
    },
  }
  await using requester = await market.requester(alice, {}, { requests: slow })
  await using provider = await market.provider(market.member())
  const request = await aRequest(alice, { stdout: 'x' }, { attempts: 1 })
  const jobs = await Promise.all([1, 2].map(async () => requester.submit(request, signal)))
  const done = await Promise.all(jobs.map(async ({ id }) => finished(requester, id)))
  assert.deepEqual(
    done.map(({ state }) => state),
    ['settled', 'settled'],
  )
  const seqs = (await provider.works.all()).map(({ seq }) => seq)
  assert.deepEqual(new Set(seqs), new Set([1, 2]))
})
