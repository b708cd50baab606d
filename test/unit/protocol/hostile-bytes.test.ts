import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as dagCbor from '@ipld/dag-cbor'
import fc from 'fast-check'
import { HiveError } from '../../../node/domain/errors.ts'
import { decodeCbor } from '../../../node/protocol/cbor.ts'
import { decodeJobSpec, encodeJobSpec } from '../../../node/protocol/job-spec-codec.ts'
import {
  MAX_FRAME_BYTES,
  MAX_MANIFEST_BYTES,
  MAX_SPEC_BYTES,
} from '../../../node/protocol/limits.ts'
import {
  awardRequest,
  bidRequest,
  followRequest,
  proveAnswer,
  proveRequest,
  readyRequest,
  shareRequest,
  speedRequest,
  voucherAnswer,
  voucherRequest,
} from '../../../node/protocol/requests.ts'
import { decodeManifest, encodeManifest } from '../../../node/protocol/results.ts'
import { decodeShareEvent, encodeShareEvent } from '../../../node/protocol/share-events.ts'
import { aResult, aSpec, bytes32Of, SOME_CID } from '../../support/messages.ts'
import { MESSAGE_NAMES, SAMPLES, signWith, TEST_CODEC } from '../../support/sealed.ts'

const id = bytes32Of('a9')
const REQUESTS = {
  bidRequest,
  awardRequest,
  followRequest,
  voucherRequest,
  shareRequest,
  voucherAnswer,
  readyRequest,
  proveRequest,
  proveAnswer,
  speedRequest,
}

/** Every decoder of strangers' bytes, with bytes that it takes. */
const DECODERS: readonly [string, (bytes: Uint8Array) => unknown, Uint8Array][] = [
  ...MESSAGE_NAMES.map((name): [string, (bytes: Uint8Array) => unknown, Uint8Array] => [
    name,
    (bytes) => TEST_CODEC.open(name, bytes),
    TEST_CODEC.seal(name, SAMPLES[name], signWith(1)).bytes,
  ]),
  ['job spec', decodeJobSpec, encodeJobSpec(aSpec({ env: { A: 'b' } }))],
  ['manifest', decodeManifest, encodeManifest([aResult(0), aResult(1)])],
  ['share event', decodeShareEvent, encodeShareEvent({ type: 'done', result: aResult(0) })],
  [
    'bid',
    (bytes) => bidRequest.decode(bytes),
    bidRequest.encode({ offer: id, decline: 'DECLINED_BUSY' }),
  ],
  [
    'award',
    (bytes) => awardRequest.decode(bytes),
    awardRequest.encode({ agreement: Uint8Array.of(1), award: Uint8Array.of(2) }),
  ],
  ['ready', (bytes) => readyRequest.decode(bytes), readyRequest.encode({ lanes: 4 })],
  ['speed', (bytes) => speedRequest.decode(bytes), speedRequest.encode({ bytes: 9 })],
  [
    'prove',
    (bytes) => proveRequest.decode(bytes),
    proveRequest.encode({ seed: id, lanes: 1, segments: 2, links: 3, blocks: 0 }),
  ],
  [
    'proof',
    (bytes) => proveAnswer.decode(bytes),
    proveAnswer.encode({ states: Uint8Array.of(1), tags: Uint8Array.of(2) }),
  ],
  [
    'follow',
    (bytes) => followRequest.decode(bytes),
    followRequest.encode({ agreement: id, from: 3 }),
  ],
  [
    'voucher',
    (bytes) => voucherRequest.decode(bytes),
    voucherRequest.encode({
      voucher: Uint8Array.of(1),
      shares: [{ seq: 1, agreement: id, amount: 5n }],
    }),
  ],
  ['voucher answer', (bytes) => voucherAnswer.decode(bytes), voucherAnswer.encode({ jobs: 2 })],
  ['share', (bytes) => shareRequest.decode(bytes), shareRequest.encode({ agreement: id })],
]
const onlyHiveErrors = (name: string, decode: () => unknown) => {
  try {
    decode()
  } catch (error) {
    assert.ok(error instanceof HiveError, `${name} threw ${String(error)}`)
    assert.match(error.code, /^(MESSAGE_(TOO_LARGE|MALFORMED|NOT_CANONICAL)|SIGNATURE_INVALID)$/)
  }
}

test('every decoder takes what its encoder wrote', () => {
  for (const [, decode, bytes] of DECODERS) decode(bytes)
  assert.equal(DECODERS.length, MESSAGE_NAMES.length + 3 + Object.keys(REQUESTS).length)
})

test('random bytes: nothing but a coded refusal, from every decoder', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
      for (const [name, decode] of DECODERS) onlyHiveErrors(name, () => decode(bytes))
    }),
    { numRuns: 200 },
  )
})

test('random dag-cbor: nothing but a coded refusal, from every decoder', () => {
  const value = fc.letrec((tie) => ({
    any: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom(null, true, false),
      fc.integer(),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.string(),
      fc.uint8Array({ maxLength: 70 }),
      fc.array(tie('any'), { maxLength: 4 }),
      fc.dictionary(
        fc.constantFrom('t', 'm', 's', 'type', 'body', 'offer', 'x', 'toString'),
        tie('any'),
      ),
    ),
  })).any
  fc.assert(
    fc.property(value, (data) => {
      const bytes = dagCbor.encode(data)
      for (const [name, decode] of DECODERS) onlyHiveErrors(name, () => decode(bytes))
    }),
    { numRuns: 300 },
  )
})

test('one changed byte of a true message: taken or refused by code', () => {
  const edits = fc.tuple(fc.constantFrom(...DECODERS), fc.nat(), fc.nat(255))
  fc.assert(
    fc.property(edits, ([[name, decode, bytes], place, value]) => {
      const edited = Uint8Array.from(bytes)
      edited[place % edited.byteLength] = value
      onlyHiveErrors(name, () => decode(edited))
    }),
    { numRuns: 1000 },
  )
})

test('a million nested lists are refused, not a stack overflow', () => {
  const nested = new Uint8Array(MAX_SPEC_BYTES).fill(0x81)
  assert.throws(() => decodeJobSpec(nested), { code: 'MESSAGE_MALFORMED' })
  assert.throws(() => decodeManifest(new Uint8Array(MAX_MANIFEST_BYTES).fill(0x81)), {
    code: 'MESSAGE_MALFORMED',
  })
})

test('what is over its limit is refused for its size alone', () => {
  const tooLarge = { code: 'MESSAGE_TOO_LARGE' }
  assert.throws(() => decodeJobSpec(new Uint8Array(MAX_SPEC_BYTES + 1)), tooLarge)
  assert.throws(() => decodeManifest(new Uint8Array(MAX_MANIFEST_BYTES + 1)), tooLarge)
  assert.throws(() => decodeShareEvent(new Uint8Array(MAX_FRAME_BYTES + 1)), tooLarge)
  assert.throws(() => decodeCbor(Uint8Array.of(0x01), 0), tooLarge)
})

test('a share event: unknown types, extra fields and foreign codes are refused', () => {
  const refused = (event: unknown) =>
    assert.throws(() => decodeShareEvent(dagCbor.encode(event)), { code: 'MESSAGE_MALFORMED' })
  refused({ type: 'nothing', body: {} })
  refused({ type: 'constructor', body: {} })
  refused({ type: 'beat' })
  refused({ type: 'beat', body: {}, extra: 1 })
  refused({ type: 'beat', body: { extra: 1 } })
  refused({ type: 'failed', body: { code: 'NO_SUCH_CODE' } })
  refused({ type: 'state', body: { state: 'unknown' } })
  assert.deepEqual(decodeShareEvent(dagCbor.encode({ type: 'beat', body: {} })), { type: 'beat' })
})

test('a job spec: tasks and inputs agree, paths stay inside the sandbox', () => {
  const spec = aSpec()
  const decoded = (changes: object) => decodeJobSpec(dagCbor.encode({ ...spec, ...changes }))
  const refused = (changes: object) =>
    assert.throws(() => decoded(changes), { code: 'MESSAGE_MALFORMED' }, JSON.stringify(changes))
  assert.deepEqual(decoded({}), spec)
  refused({ tasks: 0 })
  refused({ tasks: 10_001 })
  refused({ inputs: [{ name: 'one', files: [] }] })
  refused({ kind: 'native' })
  refused({ image: { ...spec.image, cid: 'QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWKPQ5a' } })
  refused({ env: { A: 1 } })
  for (const path of [
    '',
    'relative',
    '/',
    '/a/',
    '/a//b',
    '/a/../b',
    '/./a',
    '/..',
    '/a\\b',
    '/a\n',
    `/${'a'.repeat(512)}`,
  ])
    refused({ outputs: path })
  assert.equal(decoded({ outputs: '/out/..deep/é' }).outputs, '/out/..deep/é')
})

test('a manifest: an unknown end, a path that leaves the sandbox or a strange CID is refused', () => {
  const refused = (changes: object) =>
    assert.throws(() => decodeManifest(dagCbor.encode([{ ...aResult(0), ...changes }])), {
      code: 'MESSAGE_MALFORMED',
    })
  refused({ reason: 'magic' })
  refused({ exitCode: 0.5 })
  refused({ detail: 'x'.repeat(1001) })
  refused({ files: [{ path: '/out/../../etc/passwd', cid: SOME_CID, size: 1 }] })
  refused({ stdout: { path: '/stdout', cid: 'not a cid', size: 1 } })
  assert.deepEqual(decodeManifest(dagCbor.encode([aResult(0, { exitCode: -1 })])), [
    aResult(0, { exitCode: -1 }),
  ])
})
