import assert from 'node:assert/strict'
import { test } from 'node:test'
import { UNKNOWN_REPUTATION } from '../../../node/domain/candidate.ts'
import { HiveError } from '../../../node/domain/errors.ts'
import type { Address } from '../../../node/domain/ids.ts'
import type { AccountRecord } from '../../../node/ports/escrow.ts'
import { FRESH_MS, MAX_RECORDS } from '../../../node/services/chain-records.ts'
import { REPUTATION_WAIT_MS, Reputations } from '../../../node/services/requester/reputation.ts'
import { account } from '../../support/candidates.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { quietLogger } from '../../support/quiet-logger.ts'
import { oneJob, priceATask, TASK_PRICE, TestMarket } from '../../support/test-market.ts'

const RECORD: AccountRecord = { feesPaid: 4n, faults: 2, firstSeen: 1 }
const KNOWN = { faults: 2, standing: 3 }

/** Reputations over a chain that answers as a test says. */
function reputations(record: (provider: Address) => Promise<AccountRecord>) {
  const clock = new ManualClock(1_000_000)
  const asked: Address[] = []
  const escrow = {
    record: async (provider: Address) => {
      asked.push(provider)
      return record(provider)
    },
  }
  return { clock, asked, it: new Reputations({ clock, logger: quietLogger(), escrow }) }
}

test('reputation: what the chain remembers, asked once for each bidder until the answer is too old', async () => {
  const { clock, asked, it } = reputations(async () => RECORD)
  await using _ = it
  for (let times = 0; times < 3; times++)
    assert.deepEqual((await it.of([account(1)]))(account(1)), KNOWN)
  assert.deepEqual(asked, [account(1)])
  await clock.advance(FRESH_MS)
  assert.deepEqual((await it.of([account(1)]))(account(1)), KNOWN)
  assert.deepEqual(asked, [account(1), account(1)])
})

test('reputation: a chain that fails says nothing against anybody, and is left in peace for a while', async () => {
  const { asked, it } = reputations(async () => Promise.reject(new HiveError('CHAIN_UNREACHABLE')))
  await using _ = it
  assert.deepEqual((await it.of([account(1)]))(account(1)), UNKNOWN_REPUTATION)
  await it.of([account(1)])
  assert.equal(asked.length, 1)
})

test('reputation: a chain that does not answer is waited for only so long', async () => {
  const { clock, it } = reputations(async () => new Promise<never>(() => {}))
  const waiting = it.of([account(1)])
  await clock.advance(REPUTATION_WAIT_MS)
  assert.deepEqual((await waiting)(account(1)), UNKNOWN_REPUTATION)
})

test('reputation: an old answer is good enough while it is asked again', async () => {
  let isSilent = false
  const { clock, it } = reputations(async () => (isSilent ? new Promise<never>(() => {}) : RECORD))
  await it.of([account(1)])
  isSilent = true
  await clock.advance(FRESH_MS)
  assert.deepEqual((await it.of([account(1)]))(account(1)), KNOWN)
})

test('reputation: of more accounts than are remembered the earliest are asked about again', async () => {
  const { asked, it } = reputations(async () => RECORD)
  await using _ = it
  for (let from = 0; from <= MAX_RECORDS; from += 1000)
    await it.of(Array.from({ length: 1000 }, (_each, at) => account(from + at)))
  const before = asked.length
  await it.of([account(MAX_RECORDS + 999)])
  assert.equal(asked.length, before)
  await it.of([account(0)])
  assert.equal(asked.length, before + 1)
})

test('reputation: who lost a case on the chain is passed over for a dearer provider, by a node that never met either', async () => {
  const market = new TestMarket()
  const [alice, bob, carol] = [market.member(), market.member(), market.member()]
  const cheap = { prices: priceATask(TASK_PRICE / 2n) }
  await using bobs = await market.provider(bob, cheap)
  await using carols = await market.provider(carol)
  market.chain.records.set(bob.signing.address, { feesPaid: 10n ** 18n, faults: 1, firstSeen: 1 })
  await using requester = await market.requester(alice)
  const job = await oneJob(requester, alice, AbortSignal.timeout(20_000))
  assert.equal(job.state, 'settled')
  assert.deepEqual([(await bobs.works.all()).length, (await carols.works.all()).length], [0, 1])
})

test('reputation: at the same price who has paid twice the fees gets the job', async () => {
  const market = new TestMarket()
  const [alice, bob, carol] = [market.member(), market.member(), market.member()]
  await using bobs = await market.provider(bob)
  await using carols = await market.provider(carol)
  for (const [member, feesPaid] of [
    [bob, 1024n],
    [carol, 2048n],
  ] as const)
    market.chain.records.set(member.signing.address, { feesPaid, faults: 0, firstSeen: 1 })
  await using requester = await market.requester(alice)
  await oneJob(requester, alice, AbortSignal.timeout(20_000))
  assert.deepEqual([(await bobs.works.all()).length, (await carols.works.all()).length], [0, 1])
})
