import assert from 'node:assert/strict'
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { ImageBody } from '../../node/api/schemas/images.ts'
import type { JobBody } from '../../node/api/schemas/jobs.ts'
import type { WorkListBody } from '../../node/api/schemas/money.ts'
import { parseAmount } from '../../node/domain/money.ts'
import { GiB, second } from '../../node/domain/units.ts'
import { buildBusyboxImage } from '../../scripts/images/busybox.ts'
import { Hive } from './support/hive.ts'
import { allResults, ended, printedSomewhere, stdoutOf, submit } from './support/jobs.ts'
import { Money } from './support/money.ts'
import { eventually, SharedNetwork } from './support/shared-network.ts'

const DEPOSIT = parseAmount('100')
const PRICES = ['0.002', '0.003', '0.004']

const network = new SharedNetwork({
  requesters: 1,
  providers: 3,
  provider: (number) => ({
    kinds: number === 2 ? ['wasm', 'docker'] : ['wasm'],
    prices: { perTask: PRICES[number] ?? '' },
    resources: { cpu: 1, memory: '1GiB', disk: '1GiB' },
  }),
})
const money = new Money(network)
const requester = () => network.client('requester-1')

test('a job crosses to the cheapest provider, its bytes come back, and the chain shows who was paid', async () => {
  const client = await requester()
  const before = await money.holdings()
  const stdin = new TextEncoder().encode('crosses the network '.repeat(1000))
  const job = await ended(client, await submit(client, { args: ['cat'], stdin }))
  assert.equal(job.state, 'settled')
  assert.equal(await stdoutOf(client, job), new TextDecoder().decode(stdin))
  const cheapest = network.node('provider-1')
  assert.deepEqual(
    job.shares.map(({ provider, state, amount }) => ({ provider, state, amount })),
    [{ provider: cheapest.address, state: 'settled', amount: job.paid }],
  )
  await money.settled()
  const claim = (await money.claims()).at(-1)
  assert.equal(claim?.provider, cheapest.address)
  assert.equal(claim?.paid, BigInt(job.paid))
  assert.ok(claim.fee > 0n)
  const after = await money.holdings()
  assert.equal(after.paid - before.paid, BigInt(job.paid))
  assert.equal(after.fees - before.fees, claim.fee)
})

test('an array job: every task has its own result, in order, by all three providers', async () => {
  const client = await requester()
  const tasks = 60
  const args = ['echo', '0', 'task', '{index}', 'of', '{count}']
  const job = await ended(client, await submit(client, { args, tasks }))
  assert.equal(job.state, 'settled')
  const said = await Promise.all(
    allResults(job).map(async ({ index }) => stdoutOf(client, job, index)),
  )
  assert.deepEqual(
    said,
    Array.from({ length: tasks }, (_, index) => `task ${index} of ${tasks}\n`),
  )
  assert.equal(new Set(job.shares.map(({ provider }) => provider)).size, 3)
  const dealt = job.shares.flatMap((share) => share.tasks)
  assert.deepEqual(
    dealt.toSorted((a, b) => a - b),
    said.map((_, index) => index),
  )
})

test('exit codes come back as they were, and a program that fails is paid like one that does not', async () => {
  const client = await requester()
  const job = await ended(client, await submit(client, { args: ['echo', '3', 'sorry'] }))
  const [result] = allResults(job)
  assert.deepEqual([result?.reason, result?.exitCode, job.state], ['exit', 3, 'settled'])
  assert.ok(BigInt(job.paid) > 0n)
})

test('a task on half a core that never ends is stopped at half its time limit or later, and paid: it ran', async () => {
  const client = await requester()
  const job = await ended(client, await submit(client, { args: ['spin'], timeoutMs: 1 * second }))
  const [result] = allResults(job)
  assert.equal(result?.reason, 'timeout')
  // It computes on a whole core, so it has had what half a core gives in the limit after half of it.
  assert.ok(result.usage.wallMs >= 0.5 * second, `it ran ${result.usage.wallMs} ms`)
  assert.equal(job.state, 'settled')
  assert.ok(BigInt(job.paid) > 0n)
})

test('cancelling a running job stops the provider’s task, and nothing is promised or claimed', async () => {
  const client = await requester()
  await money.settled()
  const before = (await money.claims()).length
  const id = await submit(client, { args: ['line-then-spin'], timeoutMs: 60 * second })
  const provider = network.nodeAt(await printedSomewhere(client, id))
  await client.post(`/v1/jobs/${id}/cancel`, undefined)
  const job = await ended(client, id)
  assert.deepEqual([job.state, job.error?.code, job.paid], ['cancelled', 'JOB_CANCELLED', '0'])
  const there = await network.client(provider.name)
  await eventually(async () => {
    const { works } = await there.get<WorkListBody>('/v1/work')
    return works.every(({ state }) => state !== 'running')
  })
  const { works } = await there.get<WorkListBody>('/v1/work')
  const work = works.find((each) => job.shares.some((share) => share.id === each.id))
  assert.deepEqual([work?.state, work?.error], ['cancelled', 'JOB_CANCELLED'])
  const status = await there.get<{ slots: { utilisation: number } }>('/v1/status')
  assert.equal(status.slots.utilisation, 0)
  await money.settled()
  assert.equal((await money.claims()).length, before)
})

test('a program that is no module: two providers say image-bad, nothing is paid, and no third is tried', async () => {
  const client = await requester()
  const program = new TextEncoder().encode('#!/bin/sh\necho no module\n')
  const job = await ended(client, await submit(client, { program }))
  const [result] = allResults(job)
  assert.deepEqual([result?.reason, job.paid, job.shares.length], ['image-bad', '0', 2])
})

test('offers that nobody can take end as NO_BIDS with everybody’s reason', async () => {
  const client = await requester()
  const reasons = async (job: JobBody) => [job.state, job.error?.code, job.error?.data['reasons']]
  const cheap = await ended(client, await submit(client, { maxPrice: 1n }))
  assert.deepEqual(await reasons(cheap), ['failed', 'NO_BIDS', ['DECLINED_PRICE']])
  const huge = await ended(client, await submit(client, { memoryBytes: 512 * GiB }))
  assert.deepEqual(await reasons(huge), ['failed', 'NO_BIDS', ['DECLINED_RESOURCES']])
})

test('a job beyond the deposit is refused before anybody hears of it', async () => {
  const client = await requester()
  const before = await client.get<{ jobs: unknown[] }>('/v1/jobs')
  await assert.rejects(submit(client, { maxPrice: DEPOSIT + 1n }), { code: 'INSUFFICIENT_DEPOSIT' })
  const after = await client.get<{ jobs: unknown[] }>('/v1/jobs')
  assert.equal(after.jobs.length, before.jobs.length)
})

test('a Docker job: its image travels as content, and its output comes back', async (t) => {
  if (!network.node('provider-3').kinds.includes('docker'))
    return t.skip('no Docker engine answers on this machine')
  const client = await requester()
  const job = await ended(
    client,
    await submit(client, {
      kind: 'docker',
      program: await buildBusyboxImage(),
      args: ['sh', '-c', 'echo user $(id -u)'],
    }),
  )
  assert.equal(job.state, 'settled', JSON.stringify(job.error))
  assert.notEqual(await stdoutOf(client, job), 'user 0\n')
  assert.match(await stdoutOf(client, job), /^user \d+\n$/)
})

test('an image is added from a folder once, and jobs run it by its CID', async (t) => {
  if (!network.node('provider-3').kinds.includes('docker'))
    return t.skip('no Docker engine answers on this machine')
  const root = await mkdtemp(join(tmpdir(), 'hive-root-'))
  t.after(() => rm(root, { recursive: true }))
  await copyFile('/bin/busybox', join(root, 'busybox'))
  await writeFile(join(root, 'who'), `image of ${process.pid}`)
  const hive = new Hive({ HIVE_DATA: network.node('requester-1').dir })
  const flags = ['--entrypoint', '/busybox', '--cmd', 'echo', '--cmd', 'nothing', '--json']
  const added = await hive.run('image', 'add', root, ...flags)
  assert.equal(added.code, 0, added.stderr)
  const { cid } = JSON.parse(added.stdout) as ImageBody
  const again = JSON.parse((await hive.run('image', 'add', root, ...flags)).stdout) as ImageBody
  assert.equal(again.cid, cid)
  const ran = await hive.run('run', cid, '--', 'cat', '/who')
  assert.deepEqual([ran.code, ran.stdout], [0, `image of ${process.pid}`], ran.stderr)
  const list = await hive.run('image', 'ls')
  assert.match(list.stdout, new RegExp(cid))
})

test('after all of it the sums hold: the requester lost what the providers gained and the fee', async () => {
  await money.settled()
  const { of, paid, fees, liabilities, tokens } = await money.holdings()
  assert.equal(liabilities, tokens)
  const gain = (name: string) => (of.get(network.node(name).address) ?? 0n) - DEPOSIT
  const providers = ['provider-1', 'provider-2', 'provider-3'].map(gain)
  for (const each of providers) assert.ok(each > 0n, `${each}`)
  assert.equal(-gain('requester-1'), paid)
  assert.equal(
    providers.reduce((sum, each) => sum + each, fees),
    paid,
  )
})
