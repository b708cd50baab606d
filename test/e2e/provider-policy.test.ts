import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { CID } from 'multiformats/cid'
import * as Digest from 'multiformats/hashes/digest'
import type { WhyBody } from '../../node/api/schemas/why.ts'
import { parseAmount } from '../../node/domain/money.ts'
import { GiB, MiB, second } from '../../node/domain/units.ts'
import { Hive } from './support/hive.ts'
import { ended, stdoutOf, submit, type TestJob } from './support/jobs.ts'
import { patience, SharedNetwork } from './support/shared-network.ts'

const programs = readFileSync(new URL('../vectors/wasm/programs.wasm', import.meta.url))
/** The same with a custom section at its end, so that it does the same under another CID. */
const unwelcome = Buffer.concat([programs, Uint8Array.of(0, 3, 1, 0x78, 0x79)])
const RAW = 0x55
const SHA2_256 = 0x12
const unwelcomeCid = CID.createV1(
  RAW,
  Digest.create(SHA2_256, createHash('sha256').update(unwelcome).digest()),
).toString()

/** The first is cheap, small and choosy; the second has room and its price. */
const network = new SharedNetwork({
  requesters: 1,
  providers: 2,
  provider: (number) =>
    number === 0
      ? {
          kinds: ['wasm'],
          prices: { perTask: '0.001', perCoreSecond: '0' },
          resources: { cpu: 1, memory: '512MiB', disk: '1GiB' },
          policy: { minPrice: { wasm: '0.003' }, images: { deny: [unwelcomeCid] } },
        }
      : {
          kinds: ['wasm'],
          prices: { perTask: '0.01', perCoreSecond: '0' },
          resources: { cpu: 1, memory: '2GiB', disk: '1GiB' },
        },
})

async function ran(job: TestJob) {
  const client = await network.client('requester-1')
  const end = await ended(client, await submit(client, { args: ['echo', '0', 'ran'], ...job }))
  const signal = patience()
  return { client, job: end, why: await client.get<WhyBody>(`/v1/jobs/${end.id}/why`, { signal }) }
}

const codesOf = (why: WhyBody) =>
  (why.answers.at(-1)?.declines ?? [])
    .flatMap(({ code, count }) => Array<string>(count).fill(code))
    .toSorted()

test('too large for both: each says its most, and what would bring one bid or two', async () => {
  const { job, why } = await ran({ memoryBytes: 4 * GiB })
  assert.deepEqual([job.state, job.error?.code], ['failed', 'NO_BIDS'])
  assert.deepEqual(codesOf(why), ['DECLINED_RESOURCES', 'DECLINED_RESOURCES'])
  assert.deepEqual(why.whatIf, [
    { change: { memoryBytes: 2 * GiB }, bids: 1 },
    { change: { memoryBytes: 512 * MiB }, bids: 2 },
  ])
  const helped = await ran({ memoryBytes: 2 * GiB })
  assert.equal(helped.job.state, 'settled')
  assert.equal(helped.job.shares[0]?.provider, network.node('provider-2').address)
})

test('too cheap for both: the least price of the first counts, not its list, and it is what it takes', async () => {
  const { why } = await ran({ maxPrice: parseAmount('0.002') })
  assert.deepEqual(codesOf(why), ['DECLINED_PRICE', 'DECLINED_PRICE'])
  assert.deepEqual(why.whatIf, [
    { change: { maxPrice: parseAmount('0.003').toString() }, bids: 1 },
    { change: { maxPrice: parseAmount('0.01').toString() }, bids: 2 },
  ])
  const { job } = await ran({ maxPrice: parseAmount('0.003') })
  assert.equal(job.shares[0]?.provider, network.node('provider-1').address)
  assert.equal(job.paid, parseAmount('0.003').toString())
})

test('a program that the cheaper one denies runs at the dearer one, and the denial is on record', async () => {
  const { client, job, why } = await ran({ program: unwelcome })
  assert.equal(job.request.spec.image.cid, unwelcomeCid)
  assert.equal(await stdoutOf(client, job), 'ran\n')
  assert.equal(job.shares[0]?.provider, network.node('provider-2').address)
  assert.deepEqual(codesOf(why), ['DECLINED_IMAGE'])
  const welcome = await ran({})
  assert.equal(welcome.job.shares[0]?.provider, network.node('provider-1').address)
})

test('a kind that nobody takes: the offer reached nobody, and what the connected nodes take is told', async () => {
  const { why } = await ran({ kind: 'docker', bidWindowMs: second })
  assert.equal(why.answers.at(-1)?.asked, 0)
  assert.deepEqual(why.connected, { nodes: 2, kinds: { wasm: 2 } })
})

test('hive why tells a person the same', async () => {
  const { job } = await ran({ memoryBytes: 4 * GiB })
  const hive = new Hive({ HIVE_DATA: network.node('requester-1').dir })
  const { code, stdout, stderr } = await hive.run('why', job.id.slice(0, 12))
  assert.deepEqual([code, stderr], [0, ''])
  assert.match(stdout, /2 nodes asked: 0 bids, 2 declined/)
  assert.match(stdout, /with 512\.0 MiB of memory instead of 4\.0 GiB: 2 bids/)
})
