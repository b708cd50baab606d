import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseConfig } from '../../../node/config/schema.ts'
import { uncovered } from '../../../node/domain/egress.ts'
import { HiveError } from '../../../node/domain/errors.ts'
import { configuredServices, servicesHere } from '../../../node/own-services.ts'

const chain = { rpc: 'http://127.0.0.1:8545', id: 31337, escrow: `0x${'ab'.repeat(20)}` }
const parse = (network: object, env = {}) => parseConfig({ chain, provider: { network } }, env)

test('network config: unless something is written, no job reaches anything', () => {
  const { network } = parse({}).provider
  assert.deepEqual(network, { allow: [], private: false, runtime: undefined })
  assert.deepEqual(uncovered(network, ['example.org:443']), ['example.org:443'])
})

test('network config: patterns, in the file and from the environment', () => {
  const allow = ['*.example.org:443', '[2001:DB8::1]:*']
  const { network } = parse({ allow, private: true, runtime: 'runc' }).provider
  const asked = ['a.example.org:443', 'example.org:443', 'a.example.org:80']
  assert.deepEqual(uncovered(network, asked), asked.slice(1))
  assert.equal(network.runtime, 'runc')
  const env = { HIVE_PROVIDER_NETWORK_ALLOW: 'a.example:1, *:443' }
  assert.deepEqual(uncovered(parse({}, env).provider.network, ['a.example:1', 'b.example:443']), [])
})

test('network config: what is no pattern is a mistake with its path', () => {
  const allow = ['*', 'example.org', 'http://example.org:80', '*.*:1', 'a:0', 7]
  assert.throws(
    () => parse({ allow }),
    (error) => {
      assert.ok(error instanceof HiveError && Array.isArray(error.data['problems']))
      const paths = error.data['problems'].map((line: string) => line.split(': ')[0])
      assert.deepEqual(
        paths,
        [1, 2, 3, 4, 5].map((at) => `provider.network.allow[${at}]`),
      )
      return true
    },
  )
})

test('the node’s own services follow from its config and from where it listens', () => {
  const listen = ['/ip4/0.0.0.0/tcp/4701', '/ip6/::/tcp/4702']
  const config = parseConfig({ chain, network: { listen }, api: { port: 4800 } }, {})
  assert.deepEqual(configuredServices(config), [
    { host: '127.0.0.1', port: 8545 },
    { host: 'localhost', port: 4701 },
    { host: 'localhost', port: 4702 },
    { host: 'localhost', port: 4800 },
  ])
  const secure = { ...chain, rpc: 'https://rpc.Example.org/key' }
  assert.deepEqual(configuredServices(parseConfig({ chain: secure }, {}))[0], {
    host: 'rpc.example.org',
    port: 443,
  })
  const six = { ...chain, rpc: 'http://[::1]:8545' }
  assert.equal(configuredServices(parseConfig({ chain: six }, {}))[0]?.host, '::1')
  assert.deepEqual(servicesHere(['/ip4/127.0.0.1/tcp/5001/p2p/x', '/dns/x']), [
    { host: 'localhost', port: 5001 },
  ])
})
