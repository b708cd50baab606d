import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  decodeAnswer,
  encodeAnswer,
  encodeEnd,
  encodeFailure,
} from '../../../../node/adapters/libp2p/answer-codec.ts'
import { decodePeerError, encodePeerError } from '../../../../node/adapters/libp2p/peer-error.ts'
import { HiveError } from '../../../../node/domain/errors.ts'
import { encodeCbor } from '../../../../node/protocol/cbor.ts'

const bytes = Uint8Array.of(1, 2, 3)

test('answer codec: answers, frames and ends come back as they were', () => {
  assert.deepEqual(decodeAnswer(encodeAnswer('answer', bytes, 3), 3), { kind: 'answer', bytes })
  assert.deepEqual(decodeAnswer(encodeAnswer('frame', bytes, 3), 3), { kind: 'frame', bytes })
  assert.deepEqual(decodeAnswer(encodeEnd(), 3), { kind: 'end' })
})

test('answer codec: sizes hold for the sender and for the receiver', () => {
  assert.throws(() => encodeAnswer('answer', bytes, 2), { code: 'MESSAGE_TOO_LARGE' })
  const sent = encodeAnswer('frame', bytes, 3)
  assert.throws(() => decodeAnswer(sent, 2), { code: 'MESSAGE_TOO_LARGE' })
})

test('answer codec: what is none of its kinds is PEER_PROTOCOL', () => {
  for (const frame of [Uint8Array.of(), Uint8Array.of(9), Uint8Array.of(2, 0)]) {
    assert.throws(() => decodeAnswer(frame, 100), { code: 'PEER_PROTOCOL' })
  }
})

test('peer error: code and plain data cross, anything else does not', () => {
  const error = new HiveError('DECLINED_BUSY', { tasks: 3, note: 'full' })
  assert.throws(() => decodeAnswer(encodeFailure(error), 0), {
    code: 'DECLINED_BUSY',
    data: { tasks: 3, note: 'full' },
  })
  const other = decodePeerError(encodePeerError(new TypeError('/home/me/secret')))
  assert.equal(other.code, 'INTERNAL')
  assert.deepEqual(other.data, {})
})

test('peer error: data too long to send is left out, the code remains', () => {
  const error = new HiveError('SPEC_INVALID', { long: 'x'.repeat(5000), short: 'y' })
  const crossed = decodePeerError(encodePeerError(error))
  assert.equal(crossed.code, 'SPEC_INVALID')
  assert.deepEqual(crossed.data, { short: 'y' })
})

test('peer error: a peer may not say that we cancelled', () => {
  assert.equal(decodePeerError(encodePeerError(new HiveError('CANCELLED'))).code, 'INTERNAL')
  const forged = encodeCbor({ code: 'CANCELLED', data: {} })
  assert.throws(() => decodePeerError(forged), { code: 'PEER_PROTOCOL' })
})

test('peer error: what a hostile peer may send instead is PEER_PROTOCOL', () => {
  const many = Object.fromEntries(Array.from({ length: 17 }, (_, n) => [`k${'a'.repeat(n)}`, n]))
  for (const value of [
    null,
    [],
    'INTERNAL',
    { code: 'NO_SUCH_CODE', data: {} },
    { code: 'toString', data: {} },
    { code: 'INTERNAL' },
    { code: 'INTERNAL', data: [] },
    { code: 'INTERNAL', data: {}, more: 1 },
    { code: 'INTERNAL', data: { nested: { a: 1 } } },
    { code: 'INTERNAL', data: { nothing: null } },
    { code: 'INTERNAL', data: { 'bad key': 1 } },
    { code: 'INTERNAL', data: { __proto__x: 1 } },
    { code: 'INTERNAL', data: { text: 'x'.repeat(257) } },
    { code: 'INTERNAL', data: { list: [1] } },
    { code: 'INTERNAL', data: many },
  ]) {
    assert.throws(() => decodePeerError(encodeCbor(value)), { code: 'PEER_PROTOCOL' })
  }
  assert.throws(() => decodePeerError(Uint8Array.of(0xff)), { code: 'PEER_PROTOCOL' })
})
