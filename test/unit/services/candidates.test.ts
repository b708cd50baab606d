import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MAX_HELD } from '../../../node/domain/seen-content.ts'
import { hour } from '../../../node/domain/units.ts'
import { ProviderMemory } from '../../../node/services/requester/provider-memory.ts'
import type { JobRequest } from '../../../node/services/requester/records.ts'
import type { Requester } from '../../../node/services/requester/requester.ts'
import {
  aRequest,
  finished,
  priceATask,
  TASK_PRICE,
  TestMarket,
} from '../../support/test-market.ts'

const signal = AbortSignal.timeout(60_000)

/** Who ran the last share of a job, once it has settled. */
async function winnerOf(requester: Requester, request: JobRequest): Promise<string | undefined> {
  const { id } = await requester.submit(request, signal)
  const job = await finished(requester, id)
  assert.equal(job.state, 'settled')
  return (await requester.book.sharesOf(job)).at(-1)?.provider
}

for (const restarts of [false, true])
  test(`a job goes where its data went or came from before${restarts ? ', also after a restart' : ''}`, async () => {
    const market = new TestMarket()
    const [alice, bob, carol] = [market.member(), market.member(), market.member()]
    // No claims meanwhile: the fees of one more would come before the data.
    await using _bobs = await market.provider(bob, { claimAfterIdleMs: hour })
    await using _carols = await market.provider(carol, { claimAfterIdleMs: hour })
    const fileOf = async (text: string) => {
      const bytes = new TextEncoder().encode(text)
      return { path: '/in/data', cid: await alice.blobs.add(bytes), size: bytes.byteLength }
    }
    const script = { stdout: 'made there' }
    const first = await market.requester(alice)
    for (const member of [bob, carol]) {
      const files = [await fileOf(`for ${member.signing.peer}`)]
      const providers = [member.signing.peer]
      await winnerOf(first, await aRequest(alice, script, { providers, spec: { files } }))
    }
    if (restarts) await first[Symbol.asyncDispose]()
    await using requester = restarts ? await market.requester(market.rejoin(alice)) : first
    for (const [at, member] of [bob, carol, bob, carol].entries()) {
      const files = [await fileOf(`for ${member.signing.peer}`)]
      // Not the same spec, so that no provider has that itself.
      const args = [String(at)]
      const request = await aRequest(alice, script, { spec: { files, args } })
      assert.equal(await winnerOf(requester, request), member.signing.address)
    }
  })

test('a provider that made more than is remembered is still known to have the program and the data', async () => {
  const market = new TestMarket()
  const [alice, bob] = [market.member(), market.member()]
  await using _bobs = await market.provider(bob)
  await using requester = await market.requester(alice)
  const write = Object.fromEntries(
    Array.from({ length: MAX_HELD + 1 }, (_each, at) => [`/out/${at}`, `made ${at}`]),
  )
  const request = await aRequest(alice, { write })
  assert.equal(await winnerOf(requester, request), bob.signing.address)
  const memory = new ProviderMemory(market.parts(alice))
  const { held } = await memory.seen(bob.signing.address)
  assert.equal(held.length, MAX_HELD)
  assert.equal(held.at(-1)?.cid, request.spec.image.cid)
})

for (const [what, channelCost, winsKnown] of [
  ['counts for more than a base unit', undefined, true],
  ['counts for nothing where its operator says so', 0n, false],
] as const)
  test(`opening a channel ${what}`, async () => {
    const market = new TestMarket()
    const [alice, bob, carol] = [market.member(), market.member(), market.member()]
    await using _bobs = await market.provider(bob)
    await using _carols = await market.provider(carol, { prices: priceATask(TASK_PRICE - 1n) })
    await using requester = await market.requester(
      alice,
      channelCost === undefined ? {} : { channelCost },
    )
    const named = await aRequest(alice, {}, { providers: [bob.signing.peer] })
    assert.equal(await winnerOf(requester, named), bob.signing.address)
    const winner = await winnerOf(requester, await aRequest(alice, {}))
    assert.equal(winner, (winsKnown ? bob : carol).signing.address)
    assert.equal(market.chain.channels.size, winsKnown ? 1 : 2)
  })
