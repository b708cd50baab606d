import assert from 'node:assert/strict'
import { test } from 'node:test'
import { aRequest, finished, TestMarket } from '../../support/test-market.ts'

const { signal } = new AbortController()

test('a task that says how far it is, is heard by its requester, also when its output is not streamed', async () => {
  const market = new TestMarket()
  const alice = market.member()
  await using requester = await market.requester(alice)
  await using _ = await market.provider(market.member())
  const reached: number[] = []
  const leave = new AbortController()
  const listening = (async () => {
    for await (const update of requester.book.updates.subscribe(leave.signal))
      if (update.type === 'progress') reached.push(update.percent)
  })()
  const script = { stdout: 'a\u001B]9;4;1;42\u0007b', stderr: '\u001B]9;4;1;200\u0007' }
  const request = await aRequest(alice, script, { spec: { stream: false } })
  const done = await finished(requester, (await requester.submit(request, signal)).id)
  leave.abort()
  await listening
  assert.deepEqual(reached, [42])
  assert.equal(done.results[0]?.stdout.size, script.stdout.length)
})
