import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Sandbox } from '../../../node/ports/sandbox.ts'
import { createFakeSandbox } from '../../support/fake-sandbox.ts'
import { oneJob, priceATask, TASK_PRICE, TestMarket } from '../../support/test-market.ts'

const signal = AbortSignal.timeout(60_000)
const CHEAPER = {
  prices: priceATask(TASK_PRICE / 2n),
}

test('a cheap black hole wins the first attempt of one job, and of none after it, also over a restart', async () => {
  const market = new TestMarket()
  const [alice, bob] = [market.member(), market.member()]
  const sandbox = createFakeSandbox()
  const hole: Sandbox = {
    ...sandbox,
    run: async (task, options) => ({
      ...(await sandbox.run(task, options)),
      reason: 'start-failed',
    }),
  }
  await using swallowing = await market.provider(bob, CHEAPER, { sandboxes: [hole] })
  await using _carols = await market.provider(market.member())
  {
    await using requester = await market.requester(alice)
    assert.equal((await oneJob(requester, alice, signal)).shares.length, 2)
    assert.equal((await oneJob(requester, alice, signal)).shares.length, 1)
  }
  await using again = await market.requester(market.rejoin(alice))
  assert.equal((await oneJob(again, alice, signal)).shares.length, 1)
  assert.equal((await swallowing.works.all()).length, 1)
})
