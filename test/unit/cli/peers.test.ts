import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Hardware } from '../../../node/domain/advert.ts'
import { GiB } from '../../../node/domain/units.ts'
import { announcedTags } from '../../../node/protocol/capability-tags.ts'
import { openTestApi, type TestApi } from '../../support/test-api.ts'
import { testCli } from '../../support/test-cli.ts'
import { NETWORK, TEST_HARDWARE, type Member } from '../../support/test-market.ts'

const { signal } = new AbortController()

/** A member that has put an advert and its tags into the DHT, and says nothing when it is asked. */
async function announced(it: TestApi, region: string, gib: number): Promise<Member> {
  const member = it.market.member()
  const { node, signing } = member
  const hardware: Hardware = {
    ...TEST_HARDWARE,
    region,
    gpus: [{ vendor: 'nvidia', model: `Card ${gib}`, memoryBytes: gib * GiB, count: 1 }],
    forJobs: {
      cpuMillis: 2000,
      memoryBytes: GiB,
      diskBytes: GiB,
      gpus: [{ vendor: 'nvidia', memoryBytes: gib * GiB, count: 1 }],
    },
  }
  const kinds = ['docker']
  const now = Date.now()
  const { bytes } = signing.seal('Advert', {
    node: signing.address,
    seq: 1,
    network: NETWORK,
    kinds,
    hardware: JSON.stringify(hardware),
    issuedAt: now,
    expiresAt: now + 60_000,
  })
  await node.directory.advertise(bytes, announcedTags({ kinds, hardware }, signing.peer), {
    signal,
  })
  return member
}

test('hive peers --need: a machine that cannot be reached any more is told of from the DHT alone', async () => {
  await using it = await openTestApi({ providers: 0 })
  const meant = await announced(it, 'eu-west', 24)
  await announced(it, 'us-east', 24)
  await announced(it, 'eu-west', 8)
  it.market.net.part(it.member.signing.peer, meant.signing.peer)
  const hive = testCli({ dataDir: it.dataDir })
  assert.equal(await hive.run('peers', '--need', 'gpu.nvidia>=16GB, region=eu', '--json'), 0)
  const { peers } = JSON.parse(hive.stdout.text) as {
    peers: { peer: string; connected: boolean }[]
  }
  assert.deepEqual(
    peers.map(({ peer, connected }) => [peer, connected]),
    [[meant.signing.peer, false]],
  )
  const table = testCli({ dataDir: it.dataDir })
  assert.equal(await table.run('peers', '--need', 'gpu.nvidia>=16GB, region=eu'), 0)
  const lines = table.stdout.text.trimEnd().split('\n')
  assert.equal(lines.length, 2)
  assert.match(lines[1] ?? '', /Card 24 +eu-west .*not connected/)
})

test('hive peers --need: what nobody has is told so, with what to do', async () => {
  await using it = await openTestApi({ providers: 0 })
  await announced(it, 'us-east', 24)
  const hive = testCli({ dataDir: it.dataDir })
  assert.equal(await hive.run('peers', '--need', 'gpu.nvidia>=16GB, region=eu'), 0)
  assert.match(hive.stdout.text, /Nobody that was found meets gpu\.nvidia>=16GB, region=eu/)
})
