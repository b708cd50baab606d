import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ERROR_CODES } from '../../../node/domain/error-codes.ts'
import { codeOf, HiveError, isErrorCode } from '../../../node/domain/errors.ts'
import { isHex, short, ZERO_ADDRESS, ZERO_BYTES32 } from '../../../node/domain/ids.ts'

test('hex is lower case, prefixed, and of exactly its length', () => {
  assert.ok(isHex(ZERO_ADDRESS, 20))
  assert.ok(isHex(ZERO_BYTES32, 32))
  const bad = [ZERO_ADDRESS.slice(0, -1), `${ZERO_ADDRESS}0`, ZERO_ADDRESS.slice(2), 7, undefined]
  for (const value of bad) assert.ok(!isHex(value, 20))
  assert.ok(!isHex(`0x${'AA'.repeat(20)}`, 20))
  assert.ok(!isHex(`0x${'g'.repeat(40)}`, 20))
  assert.ok(!isHex(`0x${'a'.repeat(39)}\n`, 20))
})

test('a short id is the start of a hash, the end of a peer id', () => {
  assert.equal(short(`0x12345678${'0'.repeat(56)}`), '0x12345678')
  assert.equal(short('16Uiu2HAmQmNpgGkAAeZ2k8bLmGsAxWKD7BSbqc9Q9wgk5QYVXNTV'), '5QYVXNTV')
})

test('an error carries its code, its data and its cause; anything else is INTERNAL', () => {
  const cause = new Error('why')
  const error = new HiveError('NO_BIDS', { tasks: 3 }, { cause })
  assert.equal(codeOf(error), 'NO_BIDS')
  assert.deepEqual(error.data, { tasks: 3 })
  assert.equal(error.cause, cause)
  assert.ok(error.message.startsWith('NO_BIDS: '))
  assert.equal(codeOf(cause), 'INTERNAL')
  assert.equal(codeOf(undefined), 'INTERNAL')
})

test('only codes of the table are codes, also when a stranger names one of Object’s own', () => {
  for (const code of Object.keys(ERROR_CODES)) assert.ok(isErrorCode(code))
  for (const code of ['constructor', '__proto__', 'toString', '', 7, undefined])
    assert.ok(!isErrorCode(code))
})

test('every code says what happened and what to do, each in whole sentences', () => {
  for (const [code, { what, remedy }] of Object.entries(ERROR_CODES))
    for (const sentence of [what, remedy]) assert.match(sentence, /^\S.*[.!]$/, code)
})
