import assert from 'node:assert/strict'
import { test } from 'node:test'
import { aRequest, finished, priceATask, TestMarket, TOKEN } from '../../support/test-market.ts'

const { signal } = new AbortController()

test('quote: says who would do it, for how much and by when; nothing is agreed, reserved or on record', async () => {
  await using stack = new AsyncDisposableStack()
  const market = new TestMarket()
  const [alice, cheap, dear] = [market.member(), market.member(), market.member()]
  const requester = stack.use(await market.requester(alice))
  const providers = [
    stack.use(await market.provider(cheap, { prices: priceATask(TOKEN / 100n) })),
    stack.use(await market.provider(dear, { prices: priceATask(TOKEN / 50n) })),
  ]
  const request = await aRequest(alice, {}, { maxPrice: TOKEN, spec: { tasks: 2 } })
  const quote = await requester.quoting.quote(request, signal)
  assert.deepEqual(quote.prices, [TOKEN / 100n, TOKEN / 50n])
  assert.equal(quote.placed, 2)
  assert.equal(quote.shares[0]?.peer, cheap.signing.peer)
  assert.equal(
    quote.total,
    quote.shares.reduce((sum, { pricePerTask, tasks }) => sum + pricePerTask * BigInt(tasks), 0n),
  )
  assert.ok(quote.shares.every(({ byMs, opensChannel }) => opensChannel && byMs > 0))
  assert.deepEqual(await requester.book.list(), [])
  assert.deepEqual(requester.channels.all(), [])
  for (const provider of providers) assert.deepEqual(await provider.works.all(), [])

  const job = await finished(requester, (await requester.submit(request, signal)).id)
  assert.equal(job.state, 'settled')
  const again = await requester.quoting.quote(request, signal)
  assert.equal(again.shares[0]?.opensChannel, false, 'there is a channel now')
})

test('quote: where nobody bids it says why', async () => {
  await using stack = new AsyncDisposableStack()
  const market = new TestMarket()
  const [alice, dear] = [market.member(), market.member()]
  const requester = stack.use(await market.requester(alice))
  stack.use(await market.provider(dear, { prices: priceATask(1000n * TOKEN) }))
  const quote = await requester.quoting.quote(await aRequest(alice, {}), signal)
  assert.deepEqual([quote.placed, quote.total, quote.prices], [0, 0n, []])
  assert.deepEqual(
    quote.answers.declines.map(({ code }) => code),
    ['DECLINED_PRICE'],
  )
})
