import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Wallet } from 'ethers'
import { fromBigEndian, fromHex, toBigEndian, toHex } from '../../../node/protocol/bytes.ts'
import { channelId } from '../../../node/protocol/channel-id.ts'
import { blockCid, cidDigest, cidText } from '../../../node/protocol/cid.ts'
import { PROTOCOLS } from '../../../node/protocol/protocols.ts'
import { bondNonce, randomBytes32, randomNonce } from '../../../node/protocol/random.ts'
import { decodeRecord, encodeRecord } from '../../../node/protocol/record-codec.ts'
import { offerTopic } from '../../../node/protocol/topics.ts'
import { aBondOffer, REQUESTER, SOME_CID, STRANGER } from '../../support/messages.ts'

const values = fc.letrec((tie) => ({
  any: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom(null, true, 'text', 0),
    fc.integer(),
    fc.bigInt(),
    fc.string(),
    fc.array(tie('any'), { maxLength: 3 }),
    fc.dictionary(fc.oneof(fc.string(), fc.constantFrom('$bigint', '$entries')), tie('any'), {
      noNullPrototype: true,
      maxKeys: 4,
    }),
  ),
})).any

test('a record reads back as it was written, amounts included, whatever its keys are called', () => {
  fc.assert(
    fc.property(values, (value) => {
      assert.deepEqual(decodeRecord(encodeRecord(value), 'key'), value)
    }),
  )
  const odd = { $bigint: 'not a number', $entries: [['a', 1n]], deep: { $bigint: '1' } }
  assert.deepEqual(decodeRecord(encodeRecord(odd), 'key'), odd)
})

test('bytes that are no record are DATA_DAMAGED, with the key', () => {
  for (const text of ['', '{', '{"a":{"$bigint":"x"}}', '\u{0}'])
    assert.throws(() => decodeRecord(new TextEncoder().encode(text), 'job/1'), {
      code: 'DATA_DAMAGED',
      data: { key: 'job/1' },
    })
  assert.throws(() => decodeRecord(Uint8Array.of(0x22, 0xff, 0x22), 'job/1'), {
    code: 'DATA_DAMAGED',
  })
})

test('bytes and numbers go both ways', () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.bigInt(0n, 2n ** 256n - 1n), (bytes, number) => {
      assert.deepEqual(fromHex(toHex(bytes)), bytes)
      const wide = toBigEndian(number, 32)
      assert.equal(wide.byteLength, 32)
      assert.equal(fromBigEndian(wide), number)
    }),
  )
  assert.equal(fromBigEndian(new Uint8Array()), 0n)
})

test('a block’s CID and its hash are two spellings of one', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (bytes) => {
      assert.equal(cidDigest(blockCid(toHex(bytes))), toHex(bytes))
    }),
  )
})

test('a stranger’s CID: version 1 and SHA-256 only, in one spelling', () => {
  assert.equal(cidText.fromWire(SOME_CID, 'x'), SOME_CID)
  const bad = [
    'QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWKPQ5a',
    'bafkqabtimvwgy3yk', // the content itself, not a hash
    SOME_CID.slice(0, -1),
    `${SOME_CID}\n`,
    'a'.repeat(129),
    '',
    7,
    undefined,
  ]
  for (const raw of bad)
    assert.throws(() => cidText.fromWire(raw, 'x'), { code: 'MESSAGE_MALFORMED' }, String(raw))
})

test('a channel’s id depends on chain, contract, parties, keys and nonce, and on nothing else', () => {
  const domain = { chainId: 1, escrow: STRANGER }
  const bond = aBondOffer()
  const id = channelId(domain, bond)
  const others = [
    channelId({ ...domain, chainId: 2 }, bond),
    channelId({ ...domain, escrow: REQUESTER }, bond),
    channelId(domain, { ...bond, requester: STRANGER }),
    channelId(domain, { ...bond, provider: STRANGER }),
    channelId(domain, { ...bond, providerSigner: STRANGER }),
    channelId(domain, { ...bond, nonce: bond.nonce + 1n }),
  ]
  assert.equal(new Set([id, ...others]).size, others.length + 1)
  const another = { ...bond, bond: 1n, expiry: 1 }
  assert.equal(channelId(domain, another), id)
})

test('random values differ; a bond’s nonce ends in the requester’s key', () => {
  const requester = Wallet.createRandom().address.toLowerCase() as `0x${string}`
  const nonces = Array.from({ length: 20 }, () => bondNonce(requester))
  for (const nonce of nonces) assert.equal(BigInt.asUintN(160, nonce), BigInt(requester))
  assert.equal(new Set(nonces).size, 20)
  assert.notEqual(randomBytes32(), randomBytes32())
  assert.notEqual(randomNonce(), randomNonce())
})

test('each protocol has its own id, bounds and quota; each class and network its own topic', () => {
  const rows = Object.values(PROTOCOLS)
  assert.equal(new Set(rows.map(({ id }) => id)).size, rows.length)
  for (const row of rows) {
    assert.match(row.id, /^\/computehive\/[a-z]+\/\d+\.\d+\.\d+$/)
    const bounds = [row.maxRequestBytes, row.maxResponseBytes, row.timeoutMs, row.perPeerPerMinute]
    for (const bound of bounds) assert.ok(Number.isSafeInteger(bound) && bound > 0, row.id)
  }
  assert.notEqual(offerTopic('a', 'wasm'), offerTopic('b', 'wasm'))
  assert.notEqual(offerTopic('a', 'wasm'), offerTopic('a', 'docker'))
})
