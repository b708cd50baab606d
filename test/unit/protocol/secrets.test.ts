import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HiveError } from '../../../node/domain/errors.ts'
import { MAX_SECRETS, secretSlotFault, type SecretSlot } from '../../../node/domain/secret-slot.ts'
import { encodeCbor } from '../../../node/protocol/cbor.ts'
import { MAX_SEALED_SECRETS_BYTES, MAX_SECRETS_BYTES } from '../../../node/protocol/limits.ts'
import {
  decodeSecrets,
  encodeSecrets,
  keptSecretsContext,
  secretsContext,
} from '../../../node/protocol/secrets.ts'

const value = (length: number) => new Uint8Array(length).fill(7)
const hash = (byte: string): `0x${string}` => `0x${byte.repeat(32)}`
const account = (byte: string): `0x${string}` => `0x${byte.repeat(20)}`

test('secrets: what is written is read back; the most that is allowed fits the sealed answer', () => {
  const most = new Map(
    Array.from({ length: MAX_SECRETS }, (_, at) => [
      `${at}`.padEnd(128, 'n'),
      value(MAX_SECRETS_BYTES / MAX_SECRETS),
    ]),
  )
  const bytes = encodeSecrets(most)
  // 65 for the encapsulated key, 16 for the tag
  assert.ok(bytes.byteLength + 65 + 16 <= MAX_SEALED_SECRETS_BYTES, `${bytes.byteLength}`)
  assert.deepEqual([...decodeSecrets(bytes)], [...most])
  most.set('one more', value(1))
  assert.throws(() => encodeSecrets(most), { code: 'MESSAGE_TOO_LARGE' })
})

test('secrets: a list that repeats a name, is too long or holds anything else is refused', () => {
  const entry = { name: 'a', value: value(1) }
  const large = { name: 'a', value: value(MAX_SECRETS_BYTES) }
  const many = Array.from({ length: MAX_SECRETS + 1 }, (_, at) => ({ ...entry, name: `${at}` }))
  const bad = [
    [entry, entry],
    [large, { ...entry, name: 'b' }],
    many,
    [{ ...entry, more: 1 }],
    [{ name: 'a' }],
    [{ name: 'a', value: 'text' }],
    { a: value(1) },
    'a',
  ]
  for (const each of bad)
    assert.throws(() => decodeSecrets(encodeCbor(each)), { code: 'MESSAGE_MALFORMED' })
  const beyond = new Uint8Array(MAX_SEALED_SECRETS_BYTES + 1)
  assert.throws(() => decodeSecrets(beyond), { code: 'MESSAGE_TOO_LARGE' })
  assert.throws(() => decodeSecrets(new Uint8Array(3).fill(0xff)), HiveError)
})

test('secrets: the context differs with each of its parts, and from that of a box on disk', () => {
  const binding = {
    network: 'main',
    agreement: hash('01'),
    requester: account('02'),
    provider: account('03'),
  }
  const contexts = [
    secretsContext(binding),
    secretsContext({ ...binding, network: 'other' }),
    secretsContext({ ...binding, agreement: hash('04') }),
    secretsContext({ ...binding, requester: account('03'), provider: account('02') }),
    secretsContext({ ...binding, provider: account('05') }),
    keptSecretsContext(hash('01')),
    keptSecretsContext(hash('04')),
  ]
  const texts = contexts.map((each) => Buffer.from(each).toString('hex'))
  assert.equal(new Set(texts).size, texts.length)
})

test('secrets: where a job may want them', () => {
  const job = {
    env: { PLAIN: '' },
    files: [{ path: '/in/a' }],
    inputs: [{ files: [{ path: '/in/b' }] }],
    outputs: '/out',
  }
  const fault = (...secrets: SecretSlot[]) => secretSlotFault({ ...job, secrets })
  assert.equal(secretSlotFault(job), undefined)
  const good: SecretSlot[] = [
    { name: 'a', env: 'A' },
    { name: 'b.pem', path: '/in/c' },
    { name: '_', path: '/outer/d' },
  ]
  assert.equal(fault(...good), undefined)
  const bad: SecretSlot[][] = [
    [{ name: '', env: 'A' }],
    [{ name: 'a b', env: 'A' }],
    [{ name: 'a'.repeat(129), env: 'A' }],
    [
      { name: 'a', env: 'A' },
      { name: 'a', env: 'B' },
    ],
    [
      { name: 'a', env: 'A' },
      { name: 'b', env: 'A' },
    ],
    [{ name: 'a', env: 'PLAIN' }],
    [{ name: 'a', path: '/in/a' }],
    [{ name: 'a', path: '/in/b' }],
    [{ name: 'a', path: '/out' }],
    [{ name: 'a', path: '/out/a' }],
    Array.from({ length: MAX_SECRETS + 1 }, (_, at) => ({ name: `${at}`, env: `A${at}` })),
  ]
  for (const each of bad) assert.equal(typeof fault(...each), 'string', JSON.stringify(each[0]))
})
