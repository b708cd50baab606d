import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EndReason } from '../../../node/domain/receipt.ts'
import type { Sandbox } from '../../../node/ports/sandbox.ts'
import { createFakeSandbox } from '../../support/fake-sandbox.ts'
import {
  aRequest,
  claimed,
  finished,
  priceATask,
  TASK_PRICE,
  TestMarket,
} from '../../support/test-market.ts'

const { signal } = new AbortController()
const CHEAPER = {
  prices: priceATask(TASK_PRICE / 2n),
}

/** A sandbox whose every task ends so, whatever the image. */
function ending(reason: EndReason): Sandbox {
  const sandbox = createFakeSandbox()
  return {
    ...sandbox,
    run: async (task, options) => ({ ...(await sandbox.run(task, options)), reason, exitCode: -1 }),
  }
}

for (const reason of ['image-bad', 'start-failed'] as const) {
  test(`${reason} from one provider: another is asked, and its result counts`, async () => {
    const market = new TestMarket()
    const [alice, bob] = [market.member(), market.member()]
    await using requester = await market.requester(alice)
    await using _bobs = await market.provider(bob, CHEAPER, { sandboxes: [ending(reason)] })
    await using _carols = await market.provider(market.member())
    const { id } = await requester.submit(await aRequest(alice, { stdout: 'fine' }), signal)
    const done = await finished(requester, id)
    assert.deepEqual([done.state, done.results[0]?.reason], ['settled', 'exit'])
    const [first] = await requester.book.sharesOf(done)
    assert.deepEqual([first?.provider, first?.amount], [bob.signing.address, 0n])
    await claimed(market, TASK_PRICE)
  })
}

test('image-bad from two providers: they agree, and no third is asked', async () => {
  const market = new TestMarket()
  const alice = market.member()
  await using requester = await market.requester(alice, {})
  const stack = new AsyncDisposableStack()
  await using _ = stack
  for (let at = 0; at < 3; at++)
    stack.use(await market.provider(market.member(), {}, { sandboxes: [ending('image-bad')] }))
  const request = await aRequest(alice, { stdout: 'fine' }, { attempts: 5 })
  const done = await finished(requester, (await requester.submit(request, signal)).id)
  assert.deepEqual([done.state, done.results[0]?.reason], ['settled', 'image-bad'])
  assert.equal(done.shares.length, 2)
})

test('image-bad and then nobody else who could say: the first word stands, other tasks go on', async () => {
  const market = new TestMarket()
  const alice = market.member()
  await using requester = await market.requester(alice)
  const sandbox = createFakeSandbox()
  const first: Sandbox = {
    ...sandbox,
    run: async (task, options) => {
      const result = await sandbox.run(task, options)
      return task.id.endsWith('-1') ? { ...result, reason: 'image-bad' } : result
    },
  }
  await using _bobs = await market.provider(market.member(), {}, { sandboxes: [first] })
  const request = await aRequest(alice, { stdout: 'fine' }, { spec: { tasks: 3 } })
  const done = await finished(requester, (await requester.submit(request, signal)).id)
  assert.equal(done.state, 'settled')
  assert.deepEqual(
    done.results.map((result) => result?.reason),
    ['exit', 'image-bad', 'exit'],
  )
})
