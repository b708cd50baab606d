import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EscrowEvent, EscrowReads } from '../../../../node/ports/escrow.ts'
import { aPaidJob, type PaidJob } from '../../../support/paid-job.ts'

const TWO = ['--rpc', 'http://y']

/** An endpoint that tells the events as `change` makes them. */
const telling =
  (change: (events: readonly EscrowEvent[]) => readonly EscrowEvent[]) =>
  (truth: EscrowReads): EscrowReads => ({
    ...truth,
    events: async (query, options) => change(await truth.events(query, options)),
  })
const without = (type: EscrowEvent['type']) =>
  telling((events) => events.filter((event) => event.type !== type))
const raised = (events: readonly EscrowEvent[]) =>
  events.map((event) =>
    event.type === 'opened' ? { ...event, deposit: event.deposit + 1n } : event,
  )

async function contradiction(
  job: PaidJob,
  liar: (truth: EscrowReads) => EscrowReads,
): Promise<void> {
  job.liars.set('http://x', liar)
  const { exit, refuted } = await job.check()
  assert.equal(exit, 3)
  assert.match(refuted, /^x contradicts itself/m)
}

test('verify: a channel that was never opened is refuted', async () => {
  await using job = await aPaidJob()
  job.liars.set('http://x', (truth) => ({
    ...truth,
    channel: async () => undefined,
    events: async () => [],
  }))
  const { exit, refuted } = await job.check()
  assert.equal(exit, 3)
  assert.match(refuted, /does not exist/)
})

test('verify: an endpoint whose events and state disagree is caught, whatever it hides', async () => {
  await using job = await aPaidJob()
  await job.claim()
  await contradiction(job, without('claimed'))
  await contradiction(job, without('opened'))
  await contradiction(job, telling(raised))
  await contradiction(
    job,
    telling((events) => [...events, ...events]),
  )
  await contradiction(
    job,
    telling((events) => [...events].reverse()),
  )
  await contradiction(job, (truth) => ({ ...truth, channel: async () => undefined }))
  await job.close()
  await contradiction(job, without('closed'))
  await contradiction(
    job,
    telling((events) => [...events, ...events.slice(1, 2)]),
  )
})

test('verify: parties or keys that do not hash to the channel’s id are refused', async () => {
  await using job = await aPaidJob()
  for (const name of ['requester', 'provider', 'requesterSigner', 'providerSigner'] as const)
    await contradiction(
      job,
      telling((events) =>
        events.map((event) =>
          event.type === 'opened' ? { ...event, [name]: `0x${'66'.repeat(20)}` } : event,
        ),
      ),
    )
})

test('verify: something mined between two questions is no contradiction', async () => {
  await using job = await aPaidJob()
  let asked = 0
  job.liars.set('http://x', (truth) => ({
    ...truth,
    async channel(id, options) {
      if (asked++ === 0) await job.claim()
      return truth.channel(id, options)
    },
  }))
  assert.equal((await job.check()).exit, 0)
  assert.equal(asked, 2)
})

test('verify: two endpoints that tell the same are said to; one that is behind is not refuted', async () => {
  await using job = await aPaidJob()
  const agreed = await job.check(undefined, ...TWO)
  assert.equal(agreed.exit, 0)
  assert.match(agreed.proven, /^x and y tell the same of channel/m)
  assert.deepEqual(
    agreed.answer.endpoints.map(({ name }) => name),
    ['x', 'y'],
  )
  const { newestBlock } = job.it.market.chain
  await job.claim()
  job.liars.set('http://y', (truth) => ({
    ...truth,
    newestBlock: async () => newestBlock,
    events: async (query, options) =>
      (await truth.events(query, options)).filter(({ block }) => block <= newestBlock),
    channel: async (id, options) => {
      const now = await truth.channel(id, options)
      return now === undefined ? undefined : { ...now, settled: 0n }
    },
  }))
  assert.equal((await job.check(undefined, ...TWO)).exit, 0)
})

test('verify: two endpoints that disagree refute it, and what each says is told', async () => {
  await using job = await aPaidJob()
  await job.claim()
  job.liars.set('http://y', (truth) => ({
    ...without('claimed')(truth),
    channel: async (id, options) => {
      const now = await truth.channel(id, options)
      return now === undefined ? undefined : { ...now, settled: 0n }
    },
  }))
  const { exit, refuted } = await job.check(undefined, ...TWO)
  assert.equal(exit, 3)
  assert.match(refuted, /x says “claimed” in block \d+, y knows of nothing more/)
})

test('verify: a second endpoint that contradicts itself is named', async () => {
  await using job = await aPaidJob()
  job.liars.set('http://y', telling(raised))
  const { exit, refuted } = await job.check(undefined, ...TWO)
  assert.equal(exit, 3)
  assert.match(refuted, /^y contradicts itself/m)
})

test('verify: the same endpoint twice, or what is no URL, is refused', async () => {
  await using job = await aPaidJob()
  const run = async (...rpcs: string[]) =>
    job.hive.run('verify', job.file, ...rpcs.flatMap((rpc) => ['--rpc', rpc]))
  assert.equal(await run('http://x', 'http://x'), 1)
  assert.equal(await run('nothing'), 1)
  assert.match(job.hive.stderr.text, /same endpoint twice[\s\S]*expected a URL/)
})

test('verify: a channel alone tells its money and its end, and leaves the jobs open', async () => {
  await using job = await aPaidJob()
  const line = [job.channel, '--rpc', 'http://x', '--escrow', job.bundle.escrow]
  const open = await job.verify(...line)
  assert.equal(open.exit, 0)
  assert.match(open.proven, /opened in block \d+ by requester 0x/)
  assert.match(open.proven, /opened for the agreement 0x/)
  assert.match(open.proven, /No claim has been paid/)
  assert.match(open.open, /Which jobs/)
  await job.claim()
  await job.close()
  const closed = await job.verify(...line)
  assert.equal(closed.exit, 0)
  assert.match(closed.proven, /the channel paid .* for 1 paid share in all/)
  assert.match(closed.proven, /went back to the requester and .* of bond to the provider/)
})

test('verify: a channel needs the contract that is trusted', async () => {
  await using job = await aPaidJob()
  assert.equal(await job.hive.run('verify', job.channel, '--rpc', 'http://x'), 1)
})

test('verify: a share that the contract ruled wrong is refuted; one that was shown to be paid is paid', async () => {
  await using job = await aPaidJob()
  const share = job.bundle.shares[0]?.id ?? assert.fail()
  const ended = (outcome: 'provider-wrong' | 'paid'): EscrowEvent => ({
    type: 'case-ended',
    block: job.it.market.chain.newestBlock,
    transaction: `0x${'1c'.repeat(32)}`,
    channel: job.channel,
    case: share,
    outcome,
    paid: 0n,
    fee: 0n,
    compensation: 3n,
    slashed: 4n,
    verifierFee: 0n,
  })
  job.liars.set(
    'http://x',
    telling((events) => [...events, ended('provider-wrong')]),
  )
  const wrong = await job.check()
  assert.equal(wrong.exit, 3)
  assert.match(wrong.refuted, /ruled against its provider/)
  job.liars.set(
    'http://x',
    telling((events) => [...events, ended('paid')]),
  )
  const paid = await job.check()
  assert.equal(paid.exit, 0)
  assert.match(paid.proven, /the voucher that pays it was shown/)
})
