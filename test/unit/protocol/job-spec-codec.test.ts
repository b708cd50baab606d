import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeJobSpec, encodeJobSpec } from '../../../node/protocol/job-spec-codec.ts'
import { aSpec } from '../../support/messages.ts'

test('fuel and the deterministic mode travel in a spec, and only when they are asked for', () => {
  const asked = decodeJobSpec(encodeJobSpec(aSpec({ fuel: 2 ** 53 - 1, deterministic: true })))
  assert.deepEqual([asked.fuel, asked.deterministic], [2 ** 53 - 1, true])
  const plain = decodeJobSpec(encodeJobSpec(aSpec()))
  assert.equal('fuel' in plain || 'deterministic' in plain || 'pay' in plain, false)
})

test('no fuel at all, pay by what is not measured, and either for a container, are refused by their path', () => {
  const refused = (path: string, change: Parameters<typeof aSpec>[0]) => {
    assert.throws(
      () => decodeJobSpec(encodeJobSpec(aSpec(change))),
      (error: { code?: string; data?: { path?: string } }) =>
        error.code === 'MESSAGE_MALFORMED' && error.data?.path === path,
    )
  }
  refused('spec.fuel', { fuel: 0 })
  refused('spec.fuel', { pay: 'fuel' })
  refused('spec.pay', { tasks: 1, pay: 'cpu', service: { payEveryMs: 1000 } })
  refused('spec.pay', { kind: 'docker', pay: 'cpu', gpus: { count: 1 } })
  refused('spec.kind', { kind: 'docker', fuel: 1 })
  refused('spec.kind', { kind: 'docker', deterministic: true })
  decodeJobSpec(encodeJobSpec(aSpec({ kind: 'docker', deterministic: false })))
})

test('GPUs, destinations and secrets travel in a spec, and their mistakes are told by their path', () => {
  const asked = aSpec({
    kind: 'docker',
    gpus: { count: 2, vendor: 'nvidia', memoryBytes: 2 ** 34 },
    egress: ['example.org:443'],
    secrets: [
      { name: 'token', env: 'TOKEN' },
      { name: 'key', path: '/run/key' },
    ],
  })
  assert.deepEqual(decodeJobSpec(encodeJobSpec(asked)), asked)
  const refused = (path: string, change: object) => {
    assert.throws(
      () => decodeJobSpec(encodeJobSpec({ ...asked, ...change })),
      (error: { code?: string; data?: { path?: string } }) =>
        error.code === 'MESSAGE_MALFORMED' && error.data?.path === path,
    )
  }
  refused('spec.kind', { kind: 'wasm', egress: undefined })
  refused('spec.kind', { kind: 'wasm', gpus: undefined })
  refused('spec.gpus.count', { gpus: { count: 0 } })
  refused('spec.gpus.vendor', { gpus: { count: 1, vendor: 'intel' } })
  refused('spec.egress', { egress: ['example.org.:443'] })
  refused('spec.secrets', { secrets: [asked.secrets?.[0], asked.secrets?.[0]] })
  refused('spec.secrets.0', { secrets: [{ name: 'a' }] })
  refused('spec.secrets.0', { secrets: [{ name: 'a', env: 'A', path: '/a' }] })
  refused('spec.secrets.0', { secrets: [{ name: 'a', env: 'A=B' }] })
})
