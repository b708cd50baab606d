import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TaskResult } from '../../../node/domain/receipt.ts'
import type { JobSpec } from '../../../node/domain/job-spec.ts'
import type { Bytes32 } from '../../../node/domain/ids.ts'
import { second } from '../../../node/domain/units.ts'
import { MAX_MANIFEST_BYTES } from '../../../node/protocol/limits.ts'
import { decodeManifest } from '../../../node/protocol/results.ts'
import type { ShareEvent } from '../../../node/protocol/share-events.ts'
import type { ProviderParts } from '../../../node/services/provider/provider-options.ts'
import { HandMadeRequester, type Deal } from '../../support/hand-made-requester.ts'
import type { FakeScript } from '../../support/fake-script.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { SOME_CID } from '../../support/messages.ts'
import { TASK_PRICE, TestMarket } from '../../support/test-market.ts'

const { signal } = new AbortController()
/** Task 0 ends at once, the others sleep for ever; two have room at a time, so that the last one waits. */
const FIRST_ENDS = { script: { sleepArgs: true }, spec: { args: ['{index}00000'] } } as const
const NONE_ENDS = { script: { spin: true }, spec: {} } as const

async function open(parts: Partial<ProviderParts> = {}) {
  const market = new TestMarket()
  const alice = new HandMadeRequester(market, market.member())
  const bob = market.member()
  const provider = await market.provider(bob, {}, parts)
  return {
    market,
    alice,
    bob,
    provider,
    /** Awards a share of four tasks. */
    share: async ({ script, spec }: { script: FakeScript; spec: Partial<JobSpec> }) => {
      const first = await alice.deal()
      const offer = await alice.offer(script, {}, spec)
      const deal: Deal = alice.dealOn(first.channel, offer, await alice.ask(offer), 1, 0n)
      return { id: (await alice.award(deal)).id, channel: deal.channel }
    },
    /** Resolves when task 0 has ended and the next one runs. */
    begun: async (id: Bytes32) => {
      await alice.hear(id, (each) => each.type === 'done' && each.result.index === 0)
      await alice.hear(id, (each) => each.type === 'started' && each.index === 2)
    },
    /** What the closing word of a share says, and asks. */
    delivered: async (id: Bytes32) => {
      const last: ShareEvent | undefined = (await alice.follow(id)).at(-1)
      if (last?.type !== 'receipt') return { last }
      const { message } = alice.member.signing.open('Receipt', last.receipt)
      const bytes = await bob.blobs.get(last.manifest, { maxBytes: MAX_MANIFEST_BYTES, signal })
      const { completed, amount } = message
      return { last, completed, amount, results: decodeManifest(bytes) }
    },
    [Symbol.asyncDispose]: async () => provider[Symbol.asyncDispose](),
  }
}

const ends = (results: readonly TaskResult[] = []) => results.map(({ reason }) => reason)

test('a share that is stopped: what has ended is delivered and asked for, the rest says that it was not done', async () => {
  await using on = await open()
  const { id, channel } = await on.share(FIRST_ENDS)
  await on.begun(id)
  await on.alice.stop(id)
  const { completed, amount, results } = await on.delivered(id)
  assert.deepEqual([completed, amount], [1, TASK_PRICE])
  assert.deepEqual(ends(results), ['exit', 'killed', 'killed', 'start-failed'])
  assert.deepEqual(
    results?.map(({ index, detail }) => [index, detail]),
    [
      [0, ''],
      [1, 'ended before it was done: JOB_CANCELLED'],
      [2, 'ended before it was done: JOB_CANCELLED'],
      [3, 'not run: JOB_CANCELLED'],
    ],
  )
  assert.equal(on.provider.works.owedOn(channel), TASK_PRICE)
  assert.deepEqual(on.provider.slots.free, on.provider.slots.total)
})

test('a share that is stopped before any task has ended: it is cancelled, and nothing is asked for', async () => {
  await using on = await open()
  const { id, channel } = await on.share(NONE_ENDS)
  await on.alice.hear(id, ({ type }) => type === 'started')
  await on.alice.stop(id)
  assert.deepEqual((await on.delivered(id)).last, { type: 'failed', code: 'JOB_CANCELLED' })
  assert.equal((await on.provider.works.get(id))?.state, 'cancelled')
  assert.equal(on.provider.works.owedOn(channel), 0n)
})

test('stopped again, or after its end: the share keeps the one receipt that it has', async () => {
  await using on = await open()
  const { id } = await on.share(FIRST_ENDS)
  await on.begun(id)
  await Promise.all([on.alice.stop(id), on.alice.stop(id)])
  const first = await on.delivered(id)
  await on.alice.stop(id)
  assert.deepEqual(await on.delivered(id), first)
})

test('only the requester of a share can have it stopped', async () => {
  await using on = await open()
  const { id } = await on.share(FIRST_ENDS)
  await on.begun(id)
  await assert.rejects(on.alice.stop(id, on.market.member()), { code: 'AGREEMENT_UNKNOWN' })
  assert.equal((await on.provider.works.get(id))?.state, 'running')
})

test('a share that is stopped and then given up: what it has is not owed', async () => {
  await using on = await open()
  const { id, channel } = await on.share(FIRST_ENDS)
  await on.begun(id)
  await on.alice.stop(id)
  await on.delivered(id)
  await on.alice.cancel(id)
  assert.equal((await on.provider.works.get(id))?.state, 'cancelled')
  assert.equal(on.provider.works.owedOn(channel), 0n)
})

test('a share at its deadline delivers what has ended', async () => {
  const clock = new ManualClock(Date.now())
  await using on = await open({ clock })
  const { id } = await on.share(FIRST_ENDS)
  await on.begun(id)
  const { finishBy = 0 } = (await on.provider.works.get(id)) ?? {}
  await clock.advance(finishBy * second - clock.now())
  const { completed, amount, results } = await on.delivered(id)
  assert.deepEqual([completed, amount], [1, TASK_PRICE])
  assert.deepEqual(ends(results), ['exit', 'killed', 'killed', 'start-failed'])
  assert.match(results?.[1]?.detail ?? '', /JOB_TIMEOUT/)
})

test('a node that is told to stop delivers what has ended when its tasks may run no longer, and waits to be paid', async () => {
  const clock = new ManualClock(Date.now())
  await using on = await open({ clock })
  const { id, channel } = await on.share(FIRST_ENDS)
  await on.begun(id)
  let isOver = false
  const drained = on.provider.drain(5000, signal).then(() => (isOver = true))
  await clock.advance(5000)
  const { completed, amount = 0n, results } = await on.delivered(id)
  assert.deepEqual([completed, amount], [1, TASK_PRICE])
  assert.match(results?.[1]?.detail ?? '', /INTERRUPTED/)
  await clock.advance(1000)
  assert.equal(isOver, false)
  await on.alice.pay(channel, [{ seq: 1, agreement: id, amount }])
  await clock.advance(3000)
  await drained
  assert.equal((await on.provider.works.get(id))?.state, 'settled')
})

test('a node that is told to stop does not wait for ever for a requester that does not pay', async () => {
  const clock = new ManualClock(Date.now())
  await using on = await open({ clock })
  const { id } = await on.share(FIRST_ENDS)
  await on.begun(id)
  const drained = on.provider.drain(5000, signal)
  await clock.advance(5000)
  await on.delivered(id)
  await clock.advance(13_000)
  await drained
})

test('a task whose input cannot be had ends by itself: the others of its share are delivered', async () => {
  await using on = await open()
  const inputs = [0, 1, 2, 3].map((task) => ({
    name: '',
    files: task === 0 ? [{ path: '/in', cid: SOME_CID, size: 1 }] : [],
  }))
  const { id } = await on.share({ script: { sleepMs: 50 }, spec: { inputs } })
  const { completed, amount, results } = await on.delivered(id)
  assert.deepEqual([completed, amount], [3, 3n * TASK_PRICE])
  assert.deepEqual(ends(results), ['start-failed', 'exit', 'exit', 'exit'])
  assert.equal(results?.[0]?.detail, 'not run: CONTENT_NOT_FOUND')
  assert.deepEqual(on.provider.slots.free, on.provider.slots.total)
})

test('a share of which no task can be run fails with why', async () => {
  await using on = await open()
  const input = { name: '', files: [{ path: '/in', cid: SOME_CID, size: 1 }] }
  const { id } = await on.share({ script: {}, spec: { inputs: [input, input, input, input] } })
  assert.deepEqual((await on.delivered(id)).last, { type: 'failed', code: 'CONTENT_NOT_FOUND' })
})
