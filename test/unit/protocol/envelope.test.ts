import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as dagCbor from '@ipld/dag-cbor'
import fc from 'fast-check'
import type { ErrorCode } from '../../../node/domain/error-codes.ts'
import { HiveError } from '../../../node/domain/errors.ts'
import { createEnvelopeCodec } from '../../../node/protocol/envelope.ts'
import { MESSAGES, type MessageName } from '../../../node/protocol/messages.ts'
import { digestOf, domainSeparator } from '../../../node/protocol/typed-data.ts'
import { anAward, anOffer, aVoucher } from '../../support/messages.ts'
import { MESSAGE_NAMES, SAMPLES, signWith, TEST_CODEC } from '../../support/sealed.ts'
import { testSigner } from '../../support/test-signer.ts'

type Wire = Record<string, unknown> & {
  t: unknown
  m: Record<string, unknown>
  s: Uint8Array[]
}

const seal = (name: MessageName) => TEST_CODEC.seal(name, SAMPLES[name], signWith(1))
const wireOf = (name: MessageName) => dagCbor.decode<Wire>(seal(name).bytes)
const refused = (name: MessageName, bytes: Uint8Array, code: ErrorCode) =>
  assert.throws(() => TEST_CODEC.open(name, bytes), { name: 'HiveError', code })
const malformed = (name: MessageName, edit: (wire: Wire) => unknown) => {
  const wire = wireOf(name)
  const edited = edit(wire) ?? wire
  refused(name, dagCbor.encode(edited), 'MESSAGE_MALFORMED')
}

test('a sealed envelope opens to its message, its id and its signatory', () => {
  const { address, peer } = testSigner(1)
  for (const name of MESSAGE_NAMES) {
    const sealed = seal(name)
    const opened = TEST_CODEC.open(name, sealed.bytes)
    assert.deepEqual(opened.message, SAMPLES[name])
    assert.equal(opened.id, sealed.id)
    assert.deepEqual(opened.signatories, [{ address, peer }])
  }
})

test('an unknown field is refused, in the envelope and in the message', () => {
  for (const name of MESSAGE_NAMES) {
    malformed(name, (wire) => void (wire.m['extra'] = 1))
    malformed(name, (wire) => void (wire['extra'] = 1))
  }
})

test('a missing field is refused, each one', () => {
  for (const name of MESSAGE_NAMES) {
    for (const field of Object.keys(MESSAGES[name].fields))
      malformed(name, (wire) => void delete wire.m[field])
    for (const part of ['t', 'm', 's']) malformed(name, (wire) => void delete wire[part])
  }
})

test('a field of a wrong type or size is refused, each one', () => {
  const wrong = [null, -1, 1.5, 2n ** 60n, 'x'.repeat(5000), new Uint8Array(33), [[]], {}]
  for (const name of MESSAGE_NAMES)
    for (const field of Object.keys(MESSAGES[name].fields)) {
      for (const value of wrong) {
        const wire = wireOf(name)
        wire.m[field] = value
        const bytes = dagCbor.encode(wire)
        const code =
          bytes.byteLength > MESSAGES[name].maxBytes ? 'MESSAGE_TOO_LARGE' : 'MESSAGE_MALFORMED'
        refused(name, bytes, code)
      }
    }
})

test('a message under another name is refused', () => {
  for (const name of MESSAGE_NAMES)
    for (const other of MESSAGE_NAMES)
      if (name !== other)
        assert.throws(
          () => TEST_CODEC.open(other, seal(name).bytes),
          (error) => error instanceof HiveError,
        )
  malformed('Bid', (wire) => void (wire.t = 'Offer'))
  malformed('Bid', (wire) => void (wire.t = 'constructor'))
})

test('no signature, one too many, or one of a wrong length is refused', () => {
  for (const name of MESSAGE_NAMES) {
    const { signers } = MESSAGES[name]
    malformed(name, (wire) => void (wire.s = []))
    malformed(
      name,
      (wire) =>
        void (wire.s = Array.from({ length: signers + 1 }, () => wire.s[0] ?? new Uint8Array())),
    )
    malformed(name, (wire) => void (wire.s = [new Uint8Array(64)]))
    malformed(name, (wire) => void (wire.s = [new Uint8Array(66)]))
    malformed(name, (wire) => ({ ...wire, s: 'no list' }))
  }
})

test('bytes over the limit are refused before they are read', () => {
  for (const name of MESSAGE_NAMES) {
    const { maxBytes } = MESSAGES[name]
    refused(name, new Uint8Array(maxBytes + 1), 'MESSAGE_TOO_LARGE')
    assert.throws(
      () => TEST_CODEC.open(name, new Uint8Array(maxBytes)),
      (error: HiveError) => error.code !== 'MESSAGE_TOO_LARGE',
    )
  }
  const offer = anOffer({ class: 'x'.repeat(32), network: 'n'.repeat(64) })
  assert.ok(TEST_CODEC.seal('Offer', offer, signWith(1)).bytes.byteLength < MESSAGES.Offer.maxBytes)
})

test('an award of the most tasks that an offer may have fits into its envelope', () => {
  const tasks = Array.from({ length: 10_000 }, (_, at) => at)
  const sealed = TEST_CODEC.seal('Award', anAward({ tasks }), signWith(1))
  assert.deepEqual(TEST_CODEC.open('Award', sealed.bytes).message.tasks, tasks)
})

test('the same data in another spelling is refused: long integers, unsorted keys, a double key, trailing bytes', () => {
  const { bytes } = seal('Voucher')
  const hex = Buffer.from(bytes).toString('hex')
  const respelled = (from: string, to: string, code: ErrorCode) => {
    assert.equal(hex.split(from).length, 2, `${from} occurs once`)
    refused('Voucher', Buffer.from(hex.replace(from, to), 'hex'), code)
  }
  const jobs = Buffer.from('jobs').toString('hex')
  respelled(`64${jobs}02`, `64${jobs}1802`, 'MESSAGE_MALFORMED') // integer in two bytes
  respelled(`64${jobs}02`, `64${jobs}fb4000000000000000`, 'MESSAGE_NOT_CANONICAL') // as a float
  respelled(`64${jobs}02`, `7804${jobs}02`, 'MESSAGE_MALFORMED') // length in two bytes
  refused('Voucher', Buffer.from(`${hex}00`, 'hex'), 'MESSAGE_MALFORMED')
  // a map of three as an indefinite one
  refused('Voucher', Buffer.from(`bf${hex.slice(2)}ff`, 'hex'), 'MESSAGE_MALFORMED')
  const { t, m, s } = wireOf('Voucher')
  const part = (key: string, value: unknown) =>
    Buffer.concat([dagCbor.encode(key), dagCbor.encode(value)])
  const unsorted = Buffer.concat([Uint8Array.of(0xa3), part('t', t), part('s', s), part('m', m)])
  refused('Voucher', unsorted, 'MESSAGE_NOT_CANONICAL')
  const doubled = Buffer.concat([
    Uint8Array.of(0xa4),
    part('m', m),
    part('s', s),
    part('t', t),
    part('t', t),
  ])
  refused('Voucher', doubled, 'MESSAGE_MALFORMED')
})

test('a signature’s other spelling, with a high s, is refused, and so is every other v', () => {
  const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
  const edited = (edit: (signature: Uint8Array) => void) => {
    const wire = wireOf('Voucher')
    const signature = Uint8Array.from(wire.s[0] ?? [])
    edit(signature)
    refused('Voucher', dagCbor.encode({ ...wire, s: [signature] }), 'SIGNATURE_INVALID')
  }
  edited((signature) => {
    const s = BigInt(`0x${Buffer.from(signature.subarray(32, 64)).toString('hex')}`)
    const high = (order - s).toString(16).padStart(64, '0')
    signature.set(Buffer.from(high, 'hex'), 32)
    signature[64] = signature[64] === 27 ? 28 : 27
  })
  for (const v of [0, 1, 26, 29, 255]) edited((signature) => void (signature[64] = v))
  edited((signature) => signature.fill(0, 0, 32))
  edited((signature) => signature.fill(0, 32, 64))
  edited((signature) => signature.fill(255, 0, 64))
})

test('no flipped bit of an envelope leaves both its signatory and its id', () => {
  const sealed = new Map(MESSAGE_NAMES.map((name) => [name, seal(name)]))
  const flips = fc.tuple(fc.constantFrom(...MESSAGE_NAMES), fc.nat(), fc.nat(7))
  fc.assert(
    fc.property(flips, ([name, place, bit]) => {
      const original = sealed.get(name) ?? assert.fail()
      const bytes = Uint8Array.from(original.bytes)
      const at = place % bytes.byteLength
      bytes[at] = (bytes[at] ?? 0) ^ (1 << bit)
      try {
        const opened = TEST_CODEC.open(name, bytes)
        const same =
          opened.id === original.id &&
          opened.signatories[0]?.address === original.signatories[0]?.address
        assert.ok(!same, `bit ${bit} of byte ${at} of ${name}`)
      } catch (error) {
        if (!(error instanceof HiveError)) throw error
      }
    }),
    { numRuns: 1500 },
  )
})

test('a signature counts on one chain and for one contract', () => {
  const { bytes, signatories } = seal('Voucher')
  const signer = signatories[0]?.address
  const { chainId, escrow } = TEST_CODEC.domain
  const others = [
    { chainId: chainId + 1, escrow },
    { chainId, escrow: `0x${'e6'.repeat(20)}` as const },
  ]
  for (const domain of others)
    assert.notEqual(
      createEnvelopeCodec(domain).open('Voucher', bytes).signatories[0]?.address,
      signer,
    )
})

test('messages of two types never share a digest, though their fields be alike', () => {
  const separator = domainSeparator(TEST_CODEC.domain)
  const digests = MESSAGE_NAMES.map((name) =>
    Buffer.from(digestOf(separator, seal(name).id)).toString('hex'),
  )
  assert.equal(new Set(digests).size, MESSAGE_NAMES.length)
})

test('a two-party message keeps both signatories in signing order; a second countersignature is refused', () => {
  const first = seal('Agreement')
  const both = TEST_CODEC.countersign(first, signWith(2))
  const opened = TEST_CODEC.open('Agreement', both.bytes)
  assert.deepEqual(
    opened.signatories.map(({ address }) => address),
    [testSigner(1).address, testSigner(2).address],
  )
  assert.equal(opened.id, first.id)
  const three = TEST_CODEC.countersign(both, signWith(3))
  refused('Agreement', three.bytes, 'MESSAGE_MALFORMED')
  const two = TEST_CODEC.countersign(
    TEST_CODEC.seal('Voucher', aVoucher(), signWith(1)),
    signWith(2),
  )
  refused('Voucher', two.bytes, 'MESSAGE_MALFORMED')
})
