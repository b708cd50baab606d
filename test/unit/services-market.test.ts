import assert from 'node:assert/strict'
import { test } from 'node:test'
import { aRequest, finished, TestMarket } from '../support/test-market.ts'

test('one job: the requester gets the output, the provider is paid on chain, the fee goes to the treasury', async () => {
  const market = new TestMarket()
  const [alice, bob] = [market.member(), market.member()]
  await using requester = await market.requester(alice)
  await using provider = await market.provider(bob)
  const job = await requester.submit(
    await aRequest(alice, { stdout: 'hello\n' }),
    AbortSignal.timeout(5000),
  )
  const done = await finished(requester, job.id)
  assert.equal(done.state, 'settled', JSON.stringify([done.error, market.log], (_, v) => typeof v === 'bigint' ? String(v) : v))
  const result = done.results[0]
  assert.equal(result?.exitCode, 0)
  const stdout = await alice.blobs.get(result?.stdout.cid ?? '', {
    maxBytes: 100,
    signal: AbortSignal.timeout(1000),
  })
  assert.equal(new TextDecoder().decode(stdout), 'hello\n')
  assert.equal(provider.works.owedOn(done.id), 0n)
})
