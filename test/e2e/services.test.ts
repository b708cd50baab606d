import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { JobBody, JobSummary } from '../../node/api/schemas/jobs.ts'
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

const network = new SharedNetwork({
  requesters: 1,
  providers: 1,
  provider: () => ({ kinds: ['wasm'], prices: { perCoreSecond: '0.001' } }),
})
const money = new Money(network)
const hive = () => new Hive({ HIVE_DATA: network.node('requester-1').dir })

/** Starts a service that prints a line and then only runs. Resolves with its id and the end of its `hive run`. */
async function start(client: NodeClient, payEvery: string) {
  const service = ['--service', '--for', '5m', '--pay-every', payEvery, '--max-price', '0.001']
  const known = new Set((await jobs(client)).map(({ id }) => id))
  const running = hive().run('run', PROGRAMS, ...service, '--cpu', '0.5', '--', 'line-then-spin')
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
  const { id, running } = await start(client, '5s')
  await eventually(async () => (await paidOf(client, id)) >= 5n * RATE)
  await network.kill('requester-1')
  await running
  await network.restart('requester-1')
  const again = await network.client('requester-1')
  await eventually(async () => (await paidOf(again, id)) >= 10n * RATE)
  assert.equal((await hive().run('stop', id)).code, 0)
  const job = await ended(again, id)
  assert.deepEqual([job.state, job.shares.length], ['settled', 1])
  assert.equal(job.results[0]?.reason, 'stopped')
  await money.settled()
  assert.equal((await claimed()) - before, BigInt(job.paid))
})
