import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { JobBody, JobSummary } from '../../node/api/schemas/jobs.ts'
import type { StatusBody } from '../../node/api/schemas/node.ts'
import { Hive } from './support/hive.ts'
import { SharedNetwork } from './support/shared-network.ts'

const PROGRAMS = fileURLToPath(new URL('../vectors/wasm/programs.wasm', import.meta.url))
const NOBODY = '16Uiu2HAm1G7VSPBTXZQM2qhyuXu4arUdXFetbiXSKMXUz1Q939MG'

const network = new SharedNetwork({
  requesters: 1,
  providers: 3,
  provider: () => ({ kinds: ['wasm'], resources: { cpu: 1, memory: '1GiB', disk: '1GiB' } }),
})
const hive = () => new Hive({ HIVE_DATA: network.node('requester-1').dir })

async function newest(): Promise<JobBody> {
  const client = await network.client('requester-1')
  const { jobs } = await client.get<{ jobs: readonly JobSummary[] }>('/v1/jobs')
  return client.get<JobBody>(`/v1/jobs/${jobs[0]?.id ?? ''}`)
}

test('a job runs at the provider that is named, whichever that is', async () => {
  for (const name of ['provider-3', 'provider-1']) {
    const { peer, address } = await (await network.client(name)).get<StatusBody>('/v1/status')
    const ran = await hive().run('run', PROGRAMS, '--provider', peer.slice(-12), '--', 'echo', '0')
    assert.equal(ran.code, 0, ran.stderr)
    const { shares } = await newest()
    assert.deepEqual(
      shares.map(({ provider }) => provider),
      [address],
    )
  }
})

test('a provider that nobody finds: the job ends without bids, and no other is asked', async () => {
  const args = ['--provider', NOBODY, '--bid-window', '20s', '--', 'echo', '0']
  const ran = await hive().run('run', PROGRAMS, ...args)
  assert.equal(ran.code, 125, ran.stderr)
  const { error, shares } = await newest()
  assert.deepEqual([error?.code, shares.length], ['NO_BIDS', 0])
})
