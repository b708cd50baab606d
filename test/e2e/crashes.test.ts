import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { WalletBody, WorkListBody } from '../../node/api/schemas/money.ts'
import { parseAmount } from '../../node/domain/money.ts'
import { second } from '../../node/domain/units.ts'
import { allResults, ended, printedSomewhere, stdoutOf, submit } from './support/jobs.ts'
import { Money } from './support/money.ts'
import { SharedNetwork } from './support/shared-network.ts'

/** How long a task takes in the middle of which a node is killed, ms: on a busy machine that takes seconds. */
const LONG_MS = '10000'
const PRICES = ['0.002', '0.003']

const network = new SharedNetwork({
  requesters: 1,
  providers: 2,
  provider: (number) => ({
    kinds: ['wasm'],
    prices: { perTask: PRICES[number] ?? '' },
    resources: { cpu: 1, memory: '1GiB', disk: '1GiB' },
  }),
})
const money = new Money(network)
const requester = () => network.client('requester-1')
const paidOnChain = async () => (await money.claims()).reduce((sum, { paid }) => sum + paid, 0n)
const promised = async () => {
  const { channels } = await (await requester()).get<WalletBody>('/v1/wallet')
  return channels.reduce((sum, each) => sum + BigInt(each.promised), 0n)
}

test('a provider killed during a task: another one does it, and it is paid once', async () => {
  const client = await requester()
  const id = await submit(client, { args: ['sleep', LONG_MS] })
  const victim = network.nodeAt(await printedSomewhere(client, id))
  assert.equal(victim.name, 'provider-1', 'the cheaper one is asked first')
  await network.kill(victim.name)

  const job = await ended(client, id)
  assert.equal(job.state, 'settled', JSON.stringify(job.error))
  assert.equal(await stdoutOf(client, job), 'before\nafter\n')
  assert.deepEqual(
    job.shares.map(({ provider, state, error, amount }) => [provider, state, error, amount]),
    [
      [victim.address, 'failed', 'PROVIDER_LOST', undefined],
      [network.node('provider-2').address, 'settled', undefined, job.paid],
    ],
  )
  await money.settled()
  assert.equal(await paidOnChain(), BigInt(job.paid))
  assert.deepEqual(
    (await money.claims()).map(({ provider, paid }) => [provider, paid]),
    [[network.node('provider-2').address, BigInt(job.paid)]],
  )
})

test('the killed provider starts again on its folder: it hears that its share was given up, and can bid again', async () => {
  const before = await paidOnChain()
  await network.restart('provider-1')
  const there = await network.client('provider-1')
  const { works } = await there.get<WorkListBody>('/v1/work')
  // Whether it has heard already that its share was given up depends on who is faster.
  assert.deepEqual(
    works.map(({ amount }) => amount),
    [undefined],
  )

  const client = await requester()
  // Having failed a moment ago it is passed over for others, but not where it alone is cheap enough.
  const maxPrice = parseAmount('0.0055')
  const job = await ended(client, await submit(client, { args: ['echo', '0', 'back'], maxPrice }))
  assert.deepEqual(
    job.shares.map(({ provider, state }) => [provider, state]),
    [[network.node('provider-1').address, 'settled']],
  )
  await money.settled()
  assert.equal((await paidOnChain()) - before, BigInt(job.paid))
  const { works: after } = await there.get<WorkListBody>('/v1/work')
  const ends = after.map(({ state, error }) => [state, error])
  assert.deepEqual(
    ends.sort(([a = ''], [b = '']) => (a < b ? -1 : 1)),
    [
      ['cancelled', 'JOB_CANCELLED'],
      ['settled', undefined],
    ],
  )
})

test('a requester killed while a share runs: its next start brings the job to its end, paid once', async () => {
  const before = await paidOnChain()
  const promisedBefore = await promised()
  const id = await submit(await requester(), { args: ['sleep', '3000'], tasks: 2 })
  await printedSomewhere(await requester(), id)
  await network.kill('requester-1')
  await network.restart('requester-1')

  const client = await requester()
  const job = await ended(client, id)
  assert.equal(job.state, 'settled', JSON.stringify(job.error))
  for (const { index } of allResults(job))
    assert.equal(await stdoutOf(client, job, index), 'before\nafter\n')
  const tasks = job.shares.filter(({ state }) => state === 'settled').flatMap((each) => each.tasks)
  assert.deepEqual(
    tasks.toSorted((a, b) => a - b),
    [0, 1],
    'each task is settled in one share',
  )
  await money.settled()
  assert.equal((await paidOnChain()) - before, BigInt(job.paid))
  assert.equal((await promised()) - promisedBefore, BigInt(job.paid))
})

test('a kind of job that nobody runs: NO_BIDS when the bid window closes', async () => {
  const client = await requester()
  const job = await ended(client, await submit(client, { kind: 'docker', bidWindowMs: 1 * second }))
  assert.deepEqual([job.state, job.error?.code, job.paid], ['failed', 'NO_BIDS', '0'])
})

test('after kills and restarts the contract owes what it holds, and nobody lost what was not paid', async () => {
  const { of, paid, fees, liabilities, tokens } = await money.holdings()
  assert.equal(liabilities, tokens)
  const owned = [...of.values()].reduce((sum, each) => sum + each, 0n)
  assert.equal(owned + fees, tokens)
  assert.equal(paid, await promised())
})
