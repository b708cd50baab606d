import assert from 'node:assert/strict'
import { test } from 'node:test'
import { providerResources } from '../../../node/config/provider-resources.ts'
import { parseConfig } from '../../../node/config/schema.ts'
import { HiveError } from '../../../node/domain/errors.ts'
import { GiB, minute } from '../../../node/domain/units.ts'
import { admissionOf, POLICY_DEFAULTS } from '../../../node/services/provider/policy-options.ts'
import { Slots } from '../../../node/services/provider/slots.ts'
import { FakeMachineState } from '../../support/fake-machine-state.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { SOME_CID, STRANGER } from '../../support/messages.ts'
import { TestMarket, TOKEN } from '../../support/test-market.ts'

const chain = { rpc: 'http://127.0.0.1:8545', id: 31337, escrow: `0x${'ab'.repeat(20)}` }
const parse = (provider: object, env = {}) => parseConfig({ chain, provider }, env).provider
const policyOf = (policy: object) => parse({ policy }).policy
const { peer } = new TestMarket().member().signing

function badPaths(provider: object): readonly (string | undefined)[] {
  try {
    parse(provider)
  } catch (error) {
    assert.ok(error instanceof HiveError && Array.isArray(error.data['problems']))
    return error.data['problems'].map((line: string) => line.split(': ')[0])
  }
  return assert.fail('it was accepted')
}

test('policy config: unless something is written, everyone and everything at any time', () => {
  const { leastPrices, ...policy } = policyOf({})
  assert.deepEqual({ ...POLICY_DEFAULTS, ...policy }, POLICY_DEFAULTS)
  assert.deepEqual(leastPrices, { wasm: undefined, docker: undefined })
})

test('policy config: each field as people write it', () => {
  const policy = policyOf({
    images: { allow: [SOME_CID], deny: [] },
    requesters: { deny: [STRANGER.toUpperCase().replace('0X', '0x'), peer] },
    minPrice: { docker: '2' },
    hours: ['mon-fri 22:00-06:00', 'sat 00:00-24:00'],
    timeZone: 'Europe/Berlin',
    pauseOnBattery: true,
    pauseWhenActive: '10m',
  })
  assert.deepEqual(policy.images.allow, [SOME_CID])
  assert.deepEqual(policy.requesters.deny, [STRANGER, peer])
  assert.deepEqual(policy.leastPrices, { wasm: undefined, docker: 2n * TOKEN })
  assert.deepEqual(policy.hours[1], { days: [5], from: 0, to: 24 * 60 })
  assert.equal(policy.pauseWhenActiveMs, 10 * minute)
})

test('policy config: from the environment, lists split at commas', () => {
  const { policy } = parse(
    {},
    {
      HIVE_PROVIDER_POLICY_HOURS: 'fri 22:00-06:00, sun 10:00-12:00',
      HIVE_PROVIDER_POLICY_MIN_PRICE_WASM: '0.5',
      HIVE_PROVIDER_POLICY_PAUSE_ON_BATTERY: 'true',
    },
  )
  assert.deepEqual(
    policy.hours.map(({ days }) => days),
    [[4], [6]],
  )
  assert.equal(policy.leastPrices.wasm, TOKEN / 2n)
  assert.equal(policy.pauseOnBattery, true)
})

test('policy config: every mistake with its path', () => {
  const policy = {
    images: { allow: ['alpine:latest'] },
    requesters: { deny: ['bob'] },
    minPrice: { native: 1 },
    hours: ['9 to 5'],
    timeZone: 'Mars/Olympus',
    pauseWhenActive: 'soon',
  }
  assert.deepEqual(badPaths({ policy }), [
    'provider.policy.images.allow[0]',
    'provider.policy.requesters.deny[0]',
    'provider.policy.minPrice.native',
    'provider.policy.hours[0]',
    'provider.policy.timeZone',
    'provider.policy.pauseWhenActive',
  ])
})

test('policy config: what is only written like a CID or a peer id is refused when the node starts', () => {
  const clock = new ManualClock()
  const slots = new Slots(clock, { cpuMillis: 1, memoryBytes: 1, diskBytes: 1 })
  const prices = { perTask: 1n, perCoreSecond: 0n, perGpuSecond: 0n, reservedSecondsCap: 60 }
  const rules = { kinds: ['wasm'], maxQueue: 1, pricing: 'posted', prices } as const
  const parts = { clock, slots, machine: new FakeMachineState(clock) }
  const wrong = [
    { images: { allow: [`b${'a'.repeat(58)}`] } },
    { requesters: { deny: [`16Uiu2${'A'.repeat(47)}`] } },
  ]
  for (const policy of wrong.map(policyOf))
    assert.throws(() => admissionOf(parts, { ...rules, policy }), { code: 'CONFIG_INVALID' })
})

test('resources config: more than the machine has is refused, with what to write instead', () => {
  const machine = { cores: 4, memoryBytes: 8 * GiB, diskBytes: GiB, diskTotalBytes: 100 * GiB }
  const all = { cpu: 4.001, memory: 8 * GiB + 1, disk: '101GiB' }
  const refused = (raw: object, path: string) =>
    assert.throws(
      () => providerResources(parse({ resources: raw }).resources, machine),
      (error: unknown) => {
        assert.ok(error instanceof HiveError && error.code === 'CONFIG_INVALID')
        const [problem, ...more] = error.data['problems'] as string[]
        assert.deepEqual([problem?.split(':')[0], more.length], [path, 0])
        return true
      },
    )
  refused({ cpu: all.cpu }, 'provider.resources.cpu')
  refused({ memory: all.memory }, 'provider.resources.memory')
  refused({ disk: all.disk }, 'provider.resources.disk')
  // What is free just now is no reason not to start.
  const { diskBytes } = providerResources(
    parse({ resources: { disk: '50GiB' } }).resources,
    machine,
  )
  assert.equal(diskBytes, 50 * GiB)
})

test('overcommit config: none unless it is written; then jobs are promised so many cores for each', () => {
  const machine = { cores: 4, memoryBytes: GiB, diskBytes: GiB }
  const cores = (raw: object) => {
    const { resources, overcommit } = parse(raw)
    return providerResources(resources, machine, overcommit).cpuMillis
  }
  assert.equal(cores({}), 4000)
  assert.equal(cores({ overcommit: { cpu: 1.5 } }), 6000)
  assert.equal(cores({ overcommit: { cpu: 2 }, resources: { cpu: '50%' } }), 4000)
  assert.equal(cores({ overcommit: { cpu: 2 }, resources: { cpu: 8 } }), 8000)
  assert.throws(() => cores({ overcommit: { cpu: 2 }, resources: { cpu: 9 } }), {
    code: 'CONFIG_INVALID',
  })
  for (const bad of [0.5, 17, -1, 'much', Infinity])
    assert.deepEqual(badPaths({ overcommit: { cpu: bad } }), ['provider.overcommit.cpu'])
})

test('resources config: a part of the machine, in per cent', () => {
  const { resources } = parse({ resources: { cpu: '50%', memory: '12.5%', disk: '100%' } })
  const machine = { cores: 6, memoryBytes: 8 * GiB, diskBytes: 10 }
  assert.deepEqual(providerResources(resources, machine), {
    cpuMillis: 3000,
    memoryBytes: GiB,
    diskBytes: 10,
  })
  for (const bad of ['0%', '101%', '-5%', '%', '1.234%'])
    assert.deepEqual(badPaths({ resources: { memory: bad } }), ['provider.resources.memory'], bad)
})
