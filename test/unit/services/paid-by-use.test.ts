import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JobSpec } from '../../../node/domain/job-spec.ts'
import { FUEL_PER_CORE_SECOND } from '../../../node/domain/paid-use.ts'
import type { Usage } from '../../../node/domain/receipt.ts'
import { second } from '../../../node/domain/units.ts'
import type { Sandbox } from '../../../node/ports/sandbox.ts'
import { decodeManifest, encodeManifest } from '../../../node/protocol/results.ts'
import { createFakeSandbox } from '../../support/fake-sandbox.ts'
import { committed, reseal, tamperedFollow, type Closing } from '../../support/tampered-follow.ts'
import { aRequest, claimed, finished, TestMarket, type Member } from '../../support/test-market.ts'

const { signal } = new AbortController()
const PRICES = { perTask: 0n, perCoreSecond: 1_000n, perGpuSecond: 0n, reservedSecondsCap: 1 }
/** What a task may use at most: ten core-seconds, either way. */
const CPU = { pay: 'cpu', timeoutMs: 10 * second } as const
const FUEL = { pay: 'fuel', fuel: 10 * FUEL_PER_CORE_SECOND, timeoutMs: 30 * second } as const
const CAP = 10n * PRICES.perCoreSecond

/** A sandbox whose tasks use exactly this. */
function using(usage: Partial<Usage>): Sandbox {
  const sandbox = createFakeSandbox()
  return {
    ...sandbox,
    run: async (task, options) => {
      const result = await sandbox.run(task, options)
      return { ...result, usage: { ...result.usage, ...usage } }
    },
  }
}

/** A job of two tasks at a provider where each uses so much; the provider may say something else at the end. */
async function paidFor(
  spec: Partial<JobSpec>,
  usage: Partial<Usage>,
  tamper: (event: Closing, bob: Member) => Closing | Promise<Closing> = (event) => event,
) {
  const market = new TestMarket()
  const [alice, bob] = [market.member(), market.member()]
  const requests = tamperedFollow(bob.node.requests, async (event) => tamper(event, bob))
  await using requester = await market.requester(alice)
  const parts = { requests, sandboxes: [using(usage)] }
  await using _ = await market.provider(bob, { prices: PRICES }, parts)
  const changes = { attempts: 1, spec: { ...spec, tasks: 2 } }
  const { id } = await requester.submit(await aRequest(alice, { stdout: 'fine' }, changes), signal)
  const job = await finished(requester, id)
  const [share] = await requester.book.sharesOf(job)
  if (share?.state === 'settled') await claimed(market, share.amount ?? 0n)
  const [channel] = requester.channels.all()
  return { job, share, cumulative: channel?.cumulative, inFlight: channel?.inFlight }
}

/** That the closing word of a provider is refused, and nothing is owed for it. */
async function refused(...args: Required<Parameters<typeof paidFor>>): Promise<void> {
  const { share, cumulative, inFlight } = await paidFor(...args)
  assert.deepEqual([share?.state, share?.error], ['failed', 'RECEIPT_INVALID'])
  assert.deepEqual([cumulative, inFlight], [0n, {}])
}

test('tasks paid by processor time: a quarter of what they may use costs a quarter of their price', async () => {
  const paid = await paidFor(CPU, { wallMs: 4_000, cpuMs: 2_500 })
  assert.equal(paid.job.state, 'settled')
  assert.deepEqual([paid.share?.price, paid.share?.amount], [2n * CAP, CAP / 2n])
  assert.deepEqual([paid.cumulative, paid.inFlight], [CAP / 2n, {}])
})

test('tasks paid by fuel: a tenth of their limit costs a tenth of their price, whatever the time', async () => {
  const { job, share } = await paidFor(FUEL, { fuel: FUEL_PER_CORE_SECOND })
  assert.equal(job.state, 'settled')
  assert.deepEqual([share?.price, share?.amount], [2n * CAP, CAP / 5n])
})

test('a task that is paid as a whole costs its price, however little it used', async () => {
  const { share } = await paidFor({ timeoutMs: 1 * second }, { wallMs: 900, cpuMs: 1 })
  assert.deepEqual([share?.price, share?.amount], [2_000n, 2_000n])
})

test('an honest provider whose meter told more than a task could use is paid what it could use', async () => {
  const { share } = await paidFor(CPU, { wallMs: 1_000, cpuMs: 1_300 })
  assert.deepEqual([share?.state, share?.amount], ['settled', CAP / 5n])
})

test('a provider that asks for another amount than the use comes to is refused with a code, and unpaid', async () => {
  const asking =
    (amount: bigint) =>
    (event: Closing, { signing }: Member) =>
      reseal(signing, event, { amount })
  const use = { wallMs: 4_000, cpuMs: 2_500 }
  for (const amount of [2n * CAP + 1n, 2n * CAP, CAP / 2n - 1n])
    await refused(CPU, use, asking(amount))
  await refused(FUEL, { fuel: FUEL_PER_CORE_SECOND }, asking(2n * CAP))
})

test('a provider that claims more processor time than its cores give in the wall time is refused with a code, and unpaid', async () => {
  await refused(CPU, { wallMs: 4_000, cpuMs: 2_500 }, async (event, bob) => {
    const bytes = await bob.blobs.get(event.manifest, { maxBytes: 1e6, signal })
    const told = decodeManifest(bytes).map((result) => {
      const usage = { ...result.usage, cpuMs: 10_000 }
      return { ...result, usage }
    })
    return committed(bob, event, encodeManifest(told), { amount: 2n * CAP })
  })
})
