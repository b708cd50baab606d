import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Receipt, TaskResult } from '../../../node/domain/receipt.ts'
import { decodeManifest, encodeManifest } from '../../../node/protocol/results.ts'
import type { ShareEvent } from '../../../node/protocol/share-events.ts'
import type { JobRecord } from '../../../node/services/requester/records.ts'
import { bytes32Of, SOME_CID } from '../../support/messages.ts'
import { committed, reseal, tamperedFollow, type Closing } from '../../support/tampered-follow.ts'
import {
  aRequest,
  claimed,
  finished,
  type Member,
  priceATask,
  TASK_PRICE,
  TestMarket,
} from '../../support/test-market.ts'

const { signal } = new AbortController()
const CHEAPER = { prices: priceATask(TASK_PRICE / 2n) }

/** What a lying provider makes of its closing word. */
type Lie = (event: Closing, liar: Member) => ShareEvent | Promise<ShareEvent>

/** Two tasks offered to a cheap liar and a dear honest provider: the job ends well, the liar is unpaid. */
async function unpaid(lie: Lie, code: string): Promise<JobRecord> {
  const market = new TestMarket()
  const [alice, liar] = [market.member(), market.member()]
  await using requester = await market.requester(alice)
  const requests = tamperedFollow(liar.node.requests, async (event) => lie(event, liar))
  await using _liar = await market.provider(liar, CHEAPER, { requests })
  await using honest = await market.provider(market.member())
  const script = { stdout: 'true', write: { '/out/a': 'file' } }
  const { id } = await requester.submit(
    await aRequest(alice, script, { spec: { tasks: 2 } }),
    signal,
  )
  const done = await finished(requester, id)
  assert.equal(done.state, 'settled')
  const shares = await requester.book.sharesOf(done)
  assert.deepEqual(
    shares.map(({ state, error }) => [state, error]),
    [
      ['failed', code],
      ['settled', undefined],
    ],
  )
  await claimed(market, 2n * TASK_PRICE)
  assert.equal(honest.earnings.all()[0]?.cumulative, 2n * TASK_PRICE)
  const liars = requester.channels.all().find(({ peer }) => peer === liar.signing.peer)
  assert.equal(liars?.cumulative, 0n)
  assert.deepEqual(liars.inFlight, {})
  return done
}

/** Another manifest, committed to as a true one would be. */
async function withResults(
  event: Closing,
  liar: Member,
  edit: (results: readonly TaskResult[]) => readonly TaskResult[],
  changes: Partial<Receipt> = {},
): Promise<Closing> {
  const bytes = encodeManifest(
    edit(decodeManifest(await liar.blobs.get(event.manifest, { maxBytes: 1e6, signal }))),
  )
  return committed(liar, event, bytes, changes)
}

test('a receipt that asks for more than agreed is refused, unpaid, and the tasks are done elsewhere', async () => {
  await unpaid(
    (event, { signing }) => reseal(signing, event, { amount: TASK_PRICE + 1n }),
    'RECEIPT_INVALID',
  )
})

test('a receipt that counts more tasks than it has results for is refused', async () => {
  await unpaid(
    (event, { signing }) =>
      reseal(signing, event, { completed: 3, amount: (3n * TASK_PRICE) / 2n }),
    'RECEIPT_INVALID',
  )
})

test('a receipt for another agreement is refused', async () => {
  await unpaid(
    (event, { signing }) => reseal(signing, event, { agreement: bytes32Of('a9') }),
    'RECEIPT_INVALID',
  )
})

test('a receipt that another key signed is refused', async () => {
  const stranger = new TestMarket()
  stranger.member()
  stranger.member()
  stranger.member()
  const { signing } = stranger.member()
  await unpaid((event) => reseal(signing, event, {}), 'SIGNATURE_INVALID')
})

test('a receipt whose commitment does not open is refused: another salt, another root', async () => {
  await unpaid((event) => ({ ...event, salt: bytes32Of('5a') }), 'RECEIPT_INVALID')
  await unpaid(
    (event, { signing }) => reseal(signing, event, { dataRoot: bytes32Of('d4') }),
    'RECEIPT_INVALID',
  )
})

test('a result that is missing, doubled or of another task is refused', async () => {
  await unpaid(
    async (event, liar) =>
      withResults(event, liar, (all) => all.slice(1), { completed: 1, amount: TASK_PRICE / 2n }),
    'RECEIPT_INVALID',
  )
  await unpaid(
    async (event, liar) => withResults(event, liar, ([first]) => (first ? [first, first] : [])),
    'RECEIPT_INVALID',
  )
})

test('an output that cannot be fetched, or is shorter than it says, is refused', async () => {
  const withFile =
    (size: number, cid?: string): Lie =>
    async (event, liar) =>
      withResults(event, liar, (all) =>
        all.map((result) => ({
          ...result,
          files: result.files.map((file) => ({ ...file, size, cid: cid ?? file.cid })),
        })),
      )
  await unpaid(withFile(4, SOME_CID), 'RESULT_UNAVAILABLE')
  await unpaid(withFile(5), 'RESULT_UNAVAILABLE')
  await unpaid(withFile(3), 'RESULT_UNAVAILABLE')
})

test('a manifest that cannot be fetched is refused', async () => {
  await unpaid((event) => ({ ...event, manifest: SOME_CID }), 'RESULT_UNAVAILABLE')
})

test('tasks that a provider could not run are done elsewhere, and it is paid for the others', async () => {
  const market = new TestMarket()
  const [alice, bob] = [market.member(), market.member()]
  await using requester = await market.requester(alice)
  const lame = tamperedFollow(bob.node.requests, async (event) =>
    withResults(
      event,
      bob,
      (all) => all.map((result, at) => (at === 0 ? { ...result, reason: 'start-failed' } : result)),
      {
        completed: 1,
        amount: TASK_PRICE / 2n,
      },
    ),
  )
  await using _bob = await market.provider(bob, CHEAPER, { requests: lame })
  await using carols = await market.provider(market.member())
  const { id } = await requester.submit(await aRequest(alice, {}, { spec: { tasks: 2 } }), signal)
  const done = await finished(requester, id)
  assert.equal(done.state, 'settled')
  assert.deepEqual(
    (await requester.book.sharesOf(done)).map(({ tasks, amount }) => [tasks, amount]),
    [
      [[0, 1], TASK_PRICE / 2n],
      [[0], TASK_PRICE],
    ],
  )
  assert.equal((await carols.works.all()).length, 1)
})

test('a job’s own failure is a result: paid, kept, and not tried elsewhere', async () => {
  const market = new TestMarket()
  const alice = market.member()
  await using requester = await market.requester(alice)
  await using _ = await market.provider(market.member())
  await using _other = await market.provider(market.member())
  const { id } = await requester.submit(await aRequest(alice, { hog: true }), signal)
  const done = await finished(requester, id)
  assert.deepEqual([done.state, done.results[0]?.reason, done.shares.length], ['settled', 'oom', 1])
  await claimed(market, TASK_PRICE)
})

test('a program that cannot be run safely is a result that nobody is paid for', async () => {
  const market = new TestMarket()
  const alice = market.member()
  await using requester = await market.requester(alice)
  await using _ = await market.provider(market.member())
  const cid = await alice.blobs.add(new TextEncoder().encode('no script'))
  const request = await aRequest(alice, {})
  const image = { path: '/image', cid, size: 9 }
  const { id } = await requester.submit({ ...request, spec: { ...request.spec, image } }, signal)
  const done = await finished(requester, id)
  assert.deepEqual([done.state, done.results[0]?.reason], ['settled', 'image-bad'])
  assert.equal(requester.channels.all()[0]?.cumulative, 0n)
  assert.deepEqual(requester.channels.all()[0]?.inFlight, {})
})
