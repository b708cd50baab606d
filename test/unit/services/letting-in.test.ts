import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Advert } from '../../../node/domain/advert.ts'
import type { PeerId } from '../../../node/domain/ids.ts'
import {
  aRequest,
  finished,
  priceATask,
  TASK_PRICE,
  TestMarket,
} from '../../support/test-market.ts'

const { signal } = new AbortController()

/** A market in which providers say this of themselves, the cheapest first, and where a task ends up. */
async function takenBy(hardware: readonly (string | undefined)[], attach: boolean) {
  const market = new TestMarket()
  const alice = market.member()
  const said = new Map<PeerId, string | undefined>()
  const askAdvert = async (peer: PeerId) => {
    const text = said.get(peer)
    return text === undefined ? undefined : ({ hardware: text } as Advert)
  }
  await using requester = await market.requester(alice, {}, { askAdvert })
  await using providers = new AsyncDisposableStack()
  const peers: PeerId[] = []
  for (const [at, text] of hardware.entries()) {
    const member = market.member()
    said.set(member.signing.peer, text)
    peers.push(member.signing.peer)
    const prices = priceATask(TASK_PRICE + BigInt(at))
    providers.use(await market.provider(member, { prices }))
  }
  const changes = { bidsWanted: hardware.length, ...(attach && { attach: true as const }) }
  const { id } = await requester.submit(await aRequest(alice, {}, changes), signal)
  const done = await finished(requester, id)
  const [share] = await requester.book.sharesOf(done)
  return {
    at: share === undefined ? undefined : peers.indexOf(share.peer),
    code: done.error?.code,
    refusals: done.answers?.at(-1)?.refusals.map(({ code, count }) => [code, count]),
  }
}

const OFF = JSON.stringify({ attach: false })
const ON = JSON.stringify({ attach: true })

test('attach: a job that is to be entered goes to a provider that lets one in, though it asks more', async () => {
  assert.equal((await takenBy([OFF, OFF, ON], true)).at, 2)
  assert.equal((await takenBy([OFF, OFF, ON], false)).at, 0)
})

test('attach: providers that say nothing of it, nonsense, or nothing at all are not passed over', async () => {
  for (const text of ['{}', 'null', '[', undefined])
    assert.equal((await takenBy([OFF, text], true)).at, 1, text)
})

test('attach: when nobody lets one in, the job fails and says how many declined', async () => {
  const { code, refusals } = await takenBy([OFF, OFF], true)
  assert.deepEqual([code, refusals], ['NO_BIDS', [['ATTACH_DECLINED', 2]]])
})
