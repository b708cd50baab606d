import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import {
  decapsulate,
  encapsulate,
  ENC_BYTES,
  messageKey,
} from '../../../../node/adapters/system/hpke.ts'
import { createKeySealer } from '../../../../node/adapters/system/key-sealer.ts'
import { testKey, testSigner } from '../../../support/test-signer.ts'

const hex = (text: string) => new Uint8Array(Buffer.from(text, 'hex'))
const bytes = (text: string) => new TextEncoder().encode(text)

interface Vectors {
  readonly keySchedule: readonly Readonly<Record<string, string>>[]
  readonly boxes: readonly {
    readonly sender: number
    readonly recipient: number
    readonly ephemeral: number
    readonly context: string
    readonly secret: string
    readonly box: string
  }[]
}
const vectors = JSON.parse(
  readFileSync(new URL('../../../vectors/sealing.json', import.meta.url), 'utf8'),
) as Vectors

const [alice, bob, eve] = [1, 2, 3].map((number) => createKeySealer(testKey(number)))
const [alicePeer, bobPeer, evePeer] = [1, 2, 3].map((number) => testSigner(number).peer)
assert.ok(alice && bob && eve && alicePeer && bobPeer && evePeer)
const context = bytes('the context')
const secret = bytes('correct horse battery staple')

/** A box with one bit changed. */
function flipped(box: Uint8Array, at: number): Uint8Array {
  const copy = Uint8Array.from(box)
  copy[at] = (copy[at] ?? 0) ^ 1
  return copy
}

test('the key encapsulation and the key schedule give the published vectors, on both ends', () => {
  assert.equal(vectors.keySchedule.length, 3)
  for (const vector of vectors.keySchedule) {
    const of = (name: string) => hex(vector[name] ?? '')
    const pair = (letter: string) => ({
      publicKey: of(`pk${letter}m`),
      privateKey: of(`sk${letter}m`),
    })
    const { enc, shared } = encapsulate(of('pkRm'), pair('S'), pair('E'))
    assert.deepEqual(Buffer.from(enc), Buffer.from(of('pkEm')))
    assert.deepEqual(Buffer.from(shared), Buffer.from(of('shared_secret')))
    assert.deepEqual(decapsulate(enc, pair('R'), of('pkSm')), shared)
    const { key, nonce } = messageKey(shared, of('info'))
    assert.deepEqual(Buffer.from(key), Buffer.from(of('key')))
    assert.deepEqual(Buffer.from(nonce), Buffer.from(of('base_nonce')))
  }
})

test('boxes are the kept ones, byte for byte', () => {
  for (const each of vectors.boxes) {
    const sealer = createKeySealer(testKey(each.sender), () => testKey(each.ephemeral))
    const box = sealer.sealFor(testSigner(each.recipient).peer, hex(each.context), hex(each.secret))
    assert.equal(Buffer.from(box).toString('hex'), each.box)
    const opened = createKeySealer(testKey(each.recipient)).openFrom(
      testSigner(each.sender).peer,
      hex(each.context),
      hex(each.box),
    )
    assert.equal(Buffer.from(opened).toString('hex'), each.secret)
  }
})

test('a box opens for its recipient alone, from its sender alone, in its context alone', () => {
  const box = alice.sealFor(bobPeer, context, secret)
  assert.deepEqual(Buffer.from(bob.openFrom(alicePeer, context, box)), Buffer.from(secret))
  const broken = { code: 'SEAL_BROKEN' }
  assert.throws(() => eve.openFrom(alicePeer, context, box), broken)
  assert.throws(() => bob.openFrom(evePeer, context, box), broken)
  assert.throws(() => bob.openFrom(alicePeer, bytes('another context'), box), broken)
  // who seals cannot read it back: the key it was made with is gone
  assert.throws(() => alice.openFrom(bobPeer, context, box), broken)
})

test('a box with any bit changed, cut short or of garbage: refused', () => {
  const box = alice.sealFor(bobPeer, context, secret)
  const places = [0, 1, 32, ENC_BYTES - 1, ENC_BYTES, box.byteLength - 17, box.byteLength - 1]
  const bad = [
    ...places.map((at) => flipped(box, at)),
    ...[0, 1, ENC_BYTES - 1, ENC_BYTES, ENC_BYTES + 15, box.byteLength - 1].map((length) =>
      box.subarray(0, length),
    ),
    new Uint8Array(box.byteLength).fill(0x5a),
  ]
  for (const each of bad)
    assert.throws(() => bob.openFrom(alicePeer, context, each), { code: 'SEAL_BROKEN' })
})

test('the same secret sealed twice gives two boxes that share nothing', () => {
  const [first, second] = [1, 2].map(() => alice.sealFor(bobPeer, context, secret))
  assert.ok(first && second)
  assert.notDeepEqual(first.subarray(0, ENC_BYTES), second.subarray(0, ENC_BYTES))
  assert.notDeepEqual(first.subarray(ENC_BYTES), second.subarray(ENC_BYTES))
})

test('what a node seals for its own disk opens with its key, in its place, unchanged', () => {
  const box = alice.sealOwn(context, secret)
  assert.equal(Buffer.from(box).includes(Buffer.from(secret)), false)
  const again = createKeySealer(testKey(1))
  assert.deepEqual(Buffer.from(again.openOwn(context, box)), Buffer.from(secret))
  const broken = { code: 'SEAL_BROKEN' }
  assert.throws(() => bob.openOwn(context, box), broken)
  assert.throws(() => alice.openOwn(bytes('another place'), box), broken)
  assert.throws(() => alice.openOwn(context, flipped(box, 0)), broken)
  assert.throws(() => alice.openOwn(context, flipped(box, box.byteLength - 1)), broken)
  assert.throws(() => alice.openOwn(context, box.subarray(0, 5)), broken)
  assert.throws(() => alice.openOwn(context, new Uint8Array()), broken)
})
