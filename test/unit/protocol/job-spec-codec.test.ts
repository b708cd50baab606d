import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeJobSpec, encodeJobSpec } from '../../../node/protocol/job-spec-codec.ts'
import { aSpec } from '../../support/messages.ts'

test('fuel and the deterministic mode travel in a spec, and only when they are asked for', () => {
  const asked = decodeJobSpec(encodeJobSpec(aSpec({ fuel: 2 ** 53 - 1, deterministic: true })))
  assert.deepEqual([asked.fuel, asked.deterministic], [2 ** 53 - 1, true])
  const plain = decodeJobSpec(encodeJobSpec(aSpec()))
  assert.equal('fuel' in plain || 'deterministic' in plain, false)
})

test('no fuel at all, and either of them for a container, are refused by their path', () => {
  const refused = (path: string, change: Parameters<typeof aSpec>[0]) => {
    assert.throws(
      () => decodeJobSpec(encodeJobSpec(aSpec(change))),
      (error: { code?: string; data?: { path?: string } }) =>
        error.code === 'MESSAGE_MALFORMED' && error.data?.path === path,
    )
  }
  refused('spec.fuel', { fuel: 0 })
  refused('spec.kind', { kind: 'docker', fuel: 1 })
  refused('spec.kind', { kind: 'docker', deterministic: true })
  decodeJobSpec(encodeJobSpec(aSpec({ kind: 'docker', deterministic: false })))
})
