import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseConfigText } from '../../../node/config/config-file.ts'
import { CONFIG_DEFAULTS } from '../../../node/config/defaults.ts'
import { initialConfigText } from '../../../node/config/initial-file.ts'
import { variablesOf } from '../../../node/config/overrides.ts'
import { providerResources } from '../../../node/config/provider-resources.ts'
import { CONFIG_READER, parseConfig } from '../../../node/config/schema.ts'
import { HiveError } from '../../../node/domain/errors.ts'
import { GiB, hour } from '../../../node/domain/units.ts'

const chain = { rpc: 'http://127.0.0.1:8545', id: 31337, escrow: `0x${'Ab'.repeat(20)}` }

function problemsOf(run: () => unknown): readonly string[] {
  try {
    run()
  } catch (error) {
    assert.ok(error instanceof HiveError)
    assert.equal(error.code, 'CONFIG_INVALID')
    const problems = error.data['problems']
    assert.ok(Array.isArray(problems))
    return problems
  }
  return assert.fail('it was accepted')
}

const byText = (a = '', b = '') => (a < b ? -1 : 1)
const pathsOf = (problems: readonly string[]) => problems.map((line) => line.split(': ')[0])

test('config: a chain is enough, everything else has a default', () => {
  const config = parseConfig({ chain })
  assert.equal(config.chain.escrow, chain.escrow.toLowerCase())
  assert.equal(config.network.name, CONFIG_DEFAULTS.network.name)
  assert.equal(config.provider.enabled, false)
  assert.equal(config.provider.claimAfterIdleMs, CONFIG_DEFAULTS.provider.claimAfterIdleMs)
  assert.deepEqual(config.provider.resources, {
    cpuMillis: undefined,
    memoryBytes: undefined,
    diskBytes: undefined,
    gpus: undefined,
  })
})

test('config: one confirmation unless more are asked for, and never none', () => {
  assert.equal(parseConfig({ chain }).chain.confirmations, 1)
  const env = { HIVE_CHAIN_CONFIRMATIONS: '12' }
  assert.equal(parseConfig({ chain }, env).chain.confirmations, 12)
  const none = { chain: { ...chain, confirmations: 0 } }
  assert.deepEqual(pathsOf(problemsOf(() => parseConfig(none))), ['chain.confirmations'])
})

test('config: the chain has no default and each of its fields is asked for', () => {
  assert.deepEqual(pathsOf(problemsOf(() => parseConfig(undefined))), [
    'chain.rpc',
    'chain.id',
    'chain.escrow',
  ])
})

test('config: every mistake is listed at once, with its path', () => {
  const raw = {
    chain: { ...chain, escrow: '0x12', extra: 1 },
    netwrok: {},
    network: { mdns: 'yes', listen: ['0.0.0.0:4000'], bootstrap: 'none' },
    api: { port: 70_000 },
    provider: { kinds: ['wasm', 'vm'], bond: -1, resources: { memory: '2 potatoes' } },
    requester: [],
    log: { level: 'loud' },
  }
  assert.deepEqual(pathsOf(problemsOf(() => parseConfig(raw))).sort(byText), [
    'api.port',
    'chain.escrow',
    'chain.extra',
    'log.level',
    'network.bootstrap',
    'network.listen[0]',
    'network.mdns',
    'netwrok',
    'provider.bond',
    'provider.kinds[1]',
    'provider.resources.memory',
    'requester',
  ])
})

test('config: units become the plain numbers that services take', () => {
  const { provider, requester } = parseConfig({
    chain,
    provider: {
      resources: { cpu: 1.5, memory: '2GiB', disk: '10GiB', gpus: 3 },
      prices: { perTask: '0.5', perCoreSecond: 0.25, perGpuSecond: 2, reservedSeconds: 10 },
      claimAfterIdle: '2h',
    },
    requester: { lostAfter: 1, channelCost: '0.002', limits: { perDay: 5 } },
  })
  assert.deepEqual(provider.resources, {
    cpuMillis: 1500,
    memoryBytes: 2 * GiB,
    diskBytes: 10 * GiB,
    gpus: 3,
  })
  assert.deepEqual(provider.prices, {
    perTask: 5n * 10n ** 17n,
    perCoreSecond: 25n * 10n ** 16n,
    perGpuSecond: 2n * 10n ** 18n,
    reservedSecondsCap: 10,
  })
  assert.equal(provider.claimAfterIdleMs, 2 * hour)
  assert.equal(requester.lostAfterMs, 1000)
  assert.equal(requester.channelCost, 2n * 10n ** 15n)
  assert.deepEqual(requester.limits, {
    perJob: undefined,
    perDay: 5n * 10n ** 18n,
    outstanding: undefined,
  })
})

test('config: a number that YAML cannot hold exactly is refused as an amount', () => {
  const bond = 1 / 3
  assert.deepEqual(pathsOf(problemsOf(() => parseConfig({ chain, provider: { bond } }))), [
    'provider.bond',
  ])
})

test('config: the environment overrides the file, and is named where it is wrong', () => {
  const env = { HIVE_NETWORK_LISTEN: '/ip4/127.0.0.1/tcp/1, /ip4/127.0.0.1/tcp/2' }
  const { network, provider } = parseConfig(
    { chain, network: { name: 'file' } },
    { ...env, HIVE_NETWORK_NAME: 'env', HIVE_PROVIDER_PRICES_PER_TASK: '3' },
  )
  assert.equal(network.name, 'env')
  assert.equal(network.listen.length, 2)
  assert.equal(provider.prices.perTask, 3n * 10n ** 18n)
  const wrong = { HIVE_PROVIDER_ENABLED: 'perhaps', HIVE_NETWORK_NAMES: 'x', HIVE_HOME: '/opt' }
  assert.deepEqual(pathsOf(problemsOf(() => parseConfig({ chain }, wrong))), [
    'HIVE_NETWORK_NAMES',
    'provider.enabled (HIVE_PROVIDER_ENABLED)',
  ])
})

test('config: an endpoint that is refused is not repeated, since it may carry a key', () => {
  const rpc = 'ftp://user:sesame@example.org'
  const problems = problemsOf(() => parseConfig({ chain: { ...chain, rpc } }))
  assert.ok(!problems.join('\n').includes('sesame'))
})

test('config: frozen to the last list', () => {
  const config = parseConfig({ chain })
  assert.throws(() => Object.assign(config.network, { name: 'other' }), TypeError)
  assert.throws(() => (config.network.listen as string[]).push('x'), TypeError)
})

test('config: a text that is not YAML is a problem with its line', () => {
  assert.deepEqual(pathsOf(problemsOf(() => parseConfigText('chain:\n  id: [1\n', {}))), ['line 3'])
  assert.deepEqual(pathsOf(problemsOf(() => parseConfigText('api: {}\napi: {}\n', {}))), ['line 2'])
})

test('config: what init writes is what the node reads', () => {
  const text = initialConfigText({ chain, network: { name: 'x', mdns: false } })
  const config = parseConfigText(text, {})
  assert.equal(config.network.name, 'x')
  assert.equal(config.network.mdns, false)
  const bad = { ...chain, id: 0 }
  assert.deepEqual(pathsOf(problemsOf(() => initialConfigText({ chain: bad }))), ['chain.id'])
})

test('config: every field has one variable of its own', () => {
  const variables = variablesOf(CONFIG_READER).map(({ variable }) => variable)
  assert.equal(new Set(variables).size, variables.length)
  assert.ok(variables.includes('HIVE_PROVIDER_CLAIM_AFTER_IDLE'))
})

test('config: what the operator leaves open follows from the hardware', () => {
  const open = { cpuMillis: undefined, memoryBytes: GiB, diskBytes: undefined, gpus: undefined }
  assert.deepEqual(providerResources(open, { cores: 2, memoryBytes: 8 * GiB, diskBytes: 10 }), {
    cpuMillis: 2000,
    memoryBytes: GiB,
    diskBytes: 5,
  })
})
