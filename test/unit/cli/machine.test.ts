import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HardwareBody } from '../../../node/api/schemas/hardware.ts'
import { pairs } from '../../../node/cli/output/columns.ts'
import { acceleratorsText, machinePairs } from '../../../node/cli/output/machine-text.ts'
import { openTestApi } from '../../support/test-api.ts'
import { testCli } from '../../support/test-cli.ts'
import { NETWORK, TEST_HARDWARE } from '../../support/test-market.ts'

const SERVER: HardwareBody = {
  cpuModel: 'AMD EPYC',
  arch: 'x64',
  cores: 64,
  physicalCores: 32,
  memoryBytes: 2 ** 38,
  diskBytes: 2 ** 40,
  diskTotalBytes: 2 ** 41,
  gpus: [
    { vendor: 'nvidia', model: 'H100', memoryBytes: 2 ** 36, driver: 'nvidia 550', count: 8 },
    { vendor: 'amd', model: 'Other', count: 1 },
  ],
  fpgas: [{ model: 'Xilinx U200', count: 2 }],
  tees: ['sev-host', 'sev-snp-host'],
  networkLinks: [
    { kind: 'ethernet', speedMbps: 25000, count: 2 },
    { kind: 'wifi', count: 1 },
  ],
  sandboxes: {},
}

test('hive status: a machine is told part by part, what it lacks is left out', () => {
  assert.deepEqual(pairs(machinePairs(SERVER)), [
    'machine  64 cores (32 physical), 256.0 GiB memory, AMD EPYC',
    'disk     1024.0 GiB free of 2048.0 GiB',
    'gpus     8 x H100 (64.0 GiB, nvidia 550); Other',
    'fpgas    2 x Xilinx U200',
    'claims   sev-host; sev-snp-host',
    'network  2 x ethernet 25000 Mbit/s; wifi',
  ])
  assert.equal(acceleratorsText(SERVER), '8 x H100, Other, 2 x Xilinx U200')
})

test('hive peers: a hostile advert cannot steer the terminal nor blow up the table', async () => {
  await using it = await openTestApi({ providers: 0 })
  const evil = '\u001B[2J\u202E\n'
  for (const [at, hardware] of [
    { ...TEST_HARDWARE, cpuModel: evil, gpus: [{ vendor: '', model: evil, count: 1 }] },
    { ...TEST_HARDWARE, sandboxes: { wasm: 's'.repeat(80), docker: 's'.repeat(80) } },
    {
      ...TEST_HARDWARE,
      gpus: Array.from({ length: 32 }, () => ({ vendor: '', model: 'g'.repeat(50), count: 99999 })),
    },
    TEST_HARDWARE,
  ].entries()) {
    const { node, signing } = it.market.member()
    const now = Date.now()
    const { bytes } = signing.seal('Advert', {
      node: signing.address,
      seq: 1,
      network: NETWORK,
      kinds: at === 0 ? Array.from({ length: 16 }, () => `k${evil.repeat(5)}`) : ['wasm'],
      hardware: JSON.stringify(hardware),
      issuedAt: now,
      expiresAt: now + 60_000,
    })
    node.requests.answer('advert', async () => bytes)
  }
  const hive = testCli({ dataDir: it.dataDir })
  assert.equal(await hive.run('peers'), 0)
  const table = hive.stdout.text
  assert.match(table, /^[ -~\n]+$/)
  assert.equal(table.trimEnd().split('\n').length, 5)
  for (const line of table.split('\n')) assert.ok(line.length < 240, line)
  assert.equal(table.match(/ 4\.0 GiB /g)?.length, 3)
  assert.match(table, /g\.\.\. /)
})
