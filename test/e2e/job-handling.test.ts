import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { JobBody, JobSummary } from '../../node/api/schemas/jobs.ts'
import { Hive } from './support/hive.ts'
import { Money } from './support/money.ts'
import { SharedNetwork } from './support/shared-network.ts'

const PROGRAMS = fileURLToPath(new URL('../vectors/wasm/programs.wasm', import.meta.url))

const network = new SharedNetwork({
  requesters: 1,
  providers: 2,
  provider: () => ({ kinds: ['wasm'], resources: { cpu: 1, memory: '1GiB', disk: '1GiB' } }),
})
const money = new Money(network)
const hive = () => new Hive({ HIVE_DATA: network.node('requester-1').dir })

test('a task that exits with a code of its policy runs again elsewhere after the pause, paid each time', async () => {
  const client = await network.client('requester-1')
  const policy = ['--attempts', '2', '--retry-on', '75,lost', '--retry-delay', '700ms']
  const ran = await hive().run('run', PROGRAMS, ...policy, '--bids', '2', '--', 'echo', '75', 'no')
  assert.equal(ran.code, 75, ran.stderr)
  const { jobs } = await client.get<{ jobs: readonly JobSummary[] }>('/v1/jobs')
  const job = await client.get<JobBody>(`/v1/jobs/${jobs[0]?.id ?? ''}`)
  assert.deepEqual(
    [job.state, job.shares.map(({ attempt }) => attempt), job.results[0]?.exitCode],
    ['settled', [1, 2], 75],
  )
  assert.equal(new Set(job.shares.map(({ provider }) => provider)).size, 2)
  const paid = job.shares.reduce((sum, { amount }) => sum + BigInt(amount ?? 0), 0n)
  assert.ok(paid > 0n && job.shares.every(({ amount }) => BigInt(amount ?? 0) > 0n))
  assert.equal(BigInt(job.paid), paid)
  assert.ok((job.finishedAt ?? 0) - job.createdAt >= 700)
  await money.settled()
})
