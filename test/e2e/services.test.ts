import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { JobBody, JobSummary } from '../../node/api/schemas/jobs.ts'
import type { WorkBody, WorkListBody } from '../../node/api/schemas/money.ts'
import type { NodeClient } from '../../node/cli/node-client.ts'
import { parseAmount } from '../../node/domain/money.ts'
import { second } from '../../node/domain/units.ts'
import { Hive } from './support/hive.ts'
import { ended } from './support/jobs.ts'
import { Money } from './support/money.ts'
import { eventually, SharedNetwork } from './support/shared-network.ts'

const PROGRAMS = fileURLToPath(new URL('../vectors/wasm/programs.wasm', import.meta.url))
/** What a second of half a core costs here. */
const RATE = parseAmount('0.0005')
/** How long a task may take to end, and its end to be on record, ms. */
const ENDING_MS: number = 2 * second

const network = new SharedNetwork({
  requesters: 2,
  providers: 2,
  provider: () => ({ kinds: ['wasm'], prices: { perCoreSecond: '0.001' } }),
})
const money = new Money(network)
const hive = (name = 'requester-1') => new Hive({ HIVE_DATA: network.node(name).dir })

/** Starts a service that prints a line and then only runs. Resolves with its id and the end of its `hive run`. */
async function start(client: NodeClient, payEvery: string, name = 'requester-1') {
  const service = ['--service', '--for', '5m', '--pay-every', payEvery, '--max-price', '0.001']
  const known = new Set((await jobs(client)).map(({ id }) => id))
  const running = hive(name).run(
    'run',
    PROGRAMS,
    ...service,
    '--cpu',
    '0.5',
    '--',
    'line-then-spin',
  )
  let id = ''
  await eventually(async () => {
    id = (await jobs(client)).find((each) => !known.has(each.id))?.id ?? ''
    return id !== ''
  })
  return { id, running }
}

async function jobs(client: NodeClient): Promise<readonly JobSummary[]> {
  return (await client.get<{ readonly jobs: readonly JobSummary[] }>('/v1/jobs')).jobs
}

async function paidOf(client: NodeClient, id: string): Promise<bigint> {
  return BigInt((await client.get<JobBody>(`/v1/jobs/${id}`)).paid)
}

/** Where a service runs: the provider of its newest share. */
async function providerOf(client: NodeClient, id: string): Promise<string> {
  const { shares } = await client.get<JobBody>(`/v1/jobs/${id}`)
  return network.nodeAt(shares.at(-1)?.provider ?? '').name
}

/** A requester's newest share, as its provider has it. */
async function workFor(provider: NodeClient, requester: string): Promise<WorkBody | undefined> {
  const { works } = await provider.get<WorkListBody>('/v1/work')
  return works.find((work) => work.requester === requester)
}

/** What a requester's vouchers at a provider promise. */
async function paidAt(provider: NodeClient, requester: string): Promise<bigint> {
  const { earnings } = await provider.get<WorkListBody>('/v1/work')
  const own = earnings.filter((earning) => earning.requester === requester)
  return own.reduce((sum, { promised }) => sum + BigInt(promised), 0n)
}

/** What the chain has paid out for all jobs. */
async function claimed(): Promise<bigint> {
  return (await money.claims()).reduce((sum, { paid }) => sum + paid, 0n)
}

test('a service is paid while it runs, is stopped well, and exactly the told seconds are paid on chain', async () => {
  const client = await network.client('requester-1')
  const before = await claimed()
  const { id, running } = await start(client, '1s')
  await eventually(async () => (await paidOf(client, id)) >= 3n * RATE)
  const stopped = await hive().run('stop', id)
  assert.equal(stopped.code, 0, stopped.stderr)
  const job = await ended(client, id)
  const { code, stdout, stderr } = await running
  assert.equal(code, 0, stderr)
  assert.match(stdout, /\S/)
  assert.deepEqual([job.state, job.results[0]?.reason, job.failed], ['settled', 'stopped', 0])
  const paid = BigInt(job.paid)
  const seconds = Number(paid / RATE)
  assert.equal(paid % RATE, 0n)
  const ran = (job.results[0]?.usage.wallMs ?? 0) / second
  assert.ok(seconds >= 3 && seconds > ran - 2 && seconds < ran + 1, `${seconds} s of ${ran} s paid`)
  await money.settled()
  assert.equal((await claimed()) - before, paid)
})

test('a requester killed and started again follows its service, pays on and stops it; each second is paid once', async () => {
  const client = await network.client('requester-1')
  const before = await claimed()
  // its provider waits for half an interval, and a node's start may take some seconds
  const { id, running } = await start(client, '20s')
  await eventually(async () => (await paidOf(client, id)) >= 20n * RATE)
  await network.kill('requester-1')
  await running
  await network.restart('requester-1')
  const again = await network.client('requester-1')
  await eventually(async () => (await paidOf(again, id)) >= 40n * RATE)
  assert.equal((await hive().run('stop', id)).code, 0)
  const job = await ended(again, id)
  assert.deepEqual([job.state, job.shares.length], ['settled', 1])
  assert.equal(job.results[0]?.reason, 'stopped')
  await money.settled()
  assert.equal((await claimed()) - before, BigInt(job.paid))
})

test('a provider killed for good: another goes on with the service within an interval and some, and each is paid its own', async () => {
  const client = await network.client('requester-1')
  const before = await claimed()
  const { id, running } = await start(client, '2s')
  await eventually(async () => (await paidOf(client, id)) >= 2n * RATE)
  const first = await providerOf(client, id)
  await network.kill(first)
  const killedAt = Date.now()
  await eventually(async () => (await providerOf(client, id)) !== first)
  // an interval, SILENCE_GRACE_MS, and the time of an offer
  assert.ok(Date.now() - killedAt < 15 * second, `${Date.now() - killedAt} ms`)
  const paidThen = await paidOf(client, id)
  await eventually(async () => (await paidOf(client, id)) >= paidThen + 4n * RATE)
  assert.equal((await hive().run('stop', id)).code, 0)
  const job = await ended(client, id)
  assert.equal((await running).code, 0)
  assert.deepEqual(
    job.shares.map(({ state, error }) => [state, error]),
    [
      ['failed', 'PROVIDER_LOST'],
      ['settled', undefined],
    ],
  )
  await network.restart(first)
  await money.settled()
  assert.equal((await claimed()) - before, BigInt(job.paid))
})

test('a requester killed for good: its provider stops within an interval, which is all that is left unpaid', async () => {
  const name = 'requester-2'
  const client = await network.client(name)
  const { address } = network.node(name)
  const { id, running } = await start(client, '4s', name)
  await eventually(async () => (await paidOf(client, id)) >= 4n * RATE)
  const provider = await network.client(await providerOf(client, id))
  // killed before its voucher has arrived, it would leave two intervals unpaid
  await eventually(async () => (await paidAt(provider, address)) >= 4n * RATE)
  const killedAt = Date.now()
  await network.kill(name)
  await running
  await eventually(async () => (await workFor(provider, address))?.finishedAt !== undefined)
  const work = await workFor(provider, address)
  const stoppedAfter = (work?.finishedAt ?? Infinity) - killedAt
  assert.ok(stoppedAfter < 4 * second + ENDING_MS, `${stoppedAfter} ms`)
  // paid one interval, and the receipt asks for one more
  assert.deepEqual([work?.state, work?.amount, work?.error], ['verifying', work?.price, undefined])
  assert.equal((await paidAt(provider, address)) + BigInt(work?.amount ?? 0), 8n * RATE)
})
