import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MAX_OUTPUT_FILES } from '../../../node/protocol/limits.ts'
import { aRequest, finished, TestMarket } from '../../support/test-market.ts'

const { signal } = new AbortController()

test('a task that leaves as many files as it may: all of them come back', async () => {
  const market = new TestMarket()
  const alice = market.member()
  await using requester = await market.requester(alice)
  await using _ = await market.provider(market.member())
  const name = (at: number) => `/out/${'n'.repeat(60)}-${at}`
  const write = Object.fromEntries(
    Array.from({ length: MAX_OUTPUT_FILES }, (_, at) => [name(at), 'x']),
  )
  const { id } = await requester.submit(await aRequest(alice, { write }, { attempts: 1 }), signal)
  const done = await finished(requester, id)
  assert.equal(done.state, 'settled', done.error?.code)
  assert.equal(done.results[0]?.files.length, MAX_OUTPUT_FILES)
})
