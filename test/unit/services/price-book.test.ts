import assert from 'node:assert/strict'
import { test } from 'node:test'
import { medianOf } from '../../../node/domain/price-history.ts'
import { day, hour, minute, second } from '../../../node/domain/units.ts'
import { KEPT_MS, MAX_CLASSES, PriceBook } from '../../../node/services/price-book.ts'
import { collect } from '../../support/collect.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { anOffer } from '../../support/messages.ts'
import { MemoryStore } from '../../support/memory-store.ts'
import { quietLogger } from '../../support/quiet-logger.ts'
import { aRequest, finished, priceATask, TestMarket, TOKEN } from '../../support/test-market.ts'

const ASK = anOffer({ taskTimeoutMs: second })

async function openBook(store = new MemoryStore(), clock = new ManualClock()) {
  const book = new PriceBook({ clock, store, logger: quietLogger() })
  await book.start()
  return { book, store, clock, [Symbol.asyncDispose]: async () => book[Symbol.asyncDispose]() }
}

test('prices are kept by class and hour, GPUs apart, and come back after a restart', async () => {
  const first = await openBook()
  first.book.note('bid', ASK, 3n)
  first.book.note('bid', ASK, 5n)
  first.book.note('limit', { ...ASK, gpus: 1 }, 7n)
  await first.clock.advance(hour)
  first.book.note('agreed', { ...ASK, class: 'docker' }, 9n)
  await first[Symbol.asyncDispose]()

  await using again = await openBook(first.store, first.clock)
  const told = again.book
    .history(0)
    .map(({ class: name, ofGpus, at, tallies }) => [
      name,
      ofGpus,
      again.clock.now() - at >= hour,
      Object.entries(tallies).map(([source, tally]) => [source, tally.count, medianOf(tally)]),
    ])
  assert.deepEqual(told, [
    ['wasm', false, true, [['bid', 2, 3n]]],
    ['wasm', true, true, [['limit', 1, 7n]]],
    ['docker', false, false, [['agreed', 1, 9n]]],
  ])
  assert.equal(again.book.history(again.clock.now() + 1).length, 0)
  assert.equal(again.book.history(0, 'docker').length, 1)
})

test('what was seen is on disk within a minute, and gone from it after its time', async () => {
  await using it = await openBook()
  it.book.note('bid', ASK, 3n)
  await it.clock.advance(minute)
  assert.equal((await collect(it.store.entries('price/'))).length, 1)

  const later = new ManualClock(it.clock.now() + KEPT_MS + day)
  await using again = await openBook(it.store, later)
  await later.advance(minute)
  assert.deepEqual(again.book.history(0), [])
  assert.deepEqual(await collect(it.store.entries('price/')), [])
})

test('classes that strangers make up take no room without end', async () => {
  await using it = await openBook()
  for (let at = 0; at < 2 * MAX_CLASSES; at += 1)
    it.book.note('limit', { ...ASK, class: `docker:${at}` }, 1n)
  assert.equal(it.book.history(0).length, MAX_CLASSES)
})

test('both sides of a market remember what was offered, asked and agreed', async () => {
  await using stack = new AsyncDisposableStack()
  const market = new TestMarket()
  const [alice, bob] = [market.member(), market.member()]
  const books = [alice, bob].map((member) => stack.use(new PriceBook(market.parts(member))))
  const [hers, his] = books
  assert.ok(hers && his)
  const requester = stack.use(await market.requester(alice, {}, { prices: hers }))
  const prices = priceATask(TOKEN / 100n)
  stack.use(await market.provider(bob, { prices }, { prices: his }))
  const request = await aRequest(alice, {}, { maxPrice: TOKEN })
  const job = await finished(
    requester,
    (await requester.submit(request, AbortSignal.timeout(10_000))).id,
  )
  assert.equal(job.state, 'settled')
  const seen = books.map((book) =>
    Object.entries(book.history(0)[0]?.tallies ?? {}).map(([source, { count }]) => [source, count]),
  )
  assert.deepEqual(seen, [
    [
      ['limit', 1],
      ['bid', 1],
      ['agreed', 1],
    ],
    [
      ['limit', 1],
      ['bid', 1],
    ],
  ])
})
