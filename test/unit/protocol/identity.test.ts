import assert from 'node:assert/strict'
import { test } from 'node:test'
import { generateKeyPair, privateKeyFromRaw } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { computeAddress } from 'ethers'
import fc from 'fast-check'
import secp256k1 from 'secp256k1'
import { toHex } from '../../../node/protocol/bytes.ts'
import {
  addressOfKey,
  addressOfPeer,
  peerIdOfKey,
  publicKeyOf,
} from '../../../node/protocol/identity.ts'
import { recoverSignatory, signDigest } from '../../../node/protocol/signature.ts'

const privateKeys = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .filter((bytes) => secp256k1.privateKeyVerify(bytes))
const digests = fc.uint8Array({ minLength: 32, maxLength: 32 })

test('a key’s PeerId is libp2p’s and its address is Ethereum’s', () => {
  fc.assert(
    fc.property(privateKeys, (privateKey) => {
      const key = publicKeyOf(privateKey)
      const peer = peerIdFromPrivateKey(privateKeyFromRaw(privateKey)).toString()
      assert.equal(peerIdOfKey(key), peer)
      const address = computeAddress(toHex(privateKey)).toLowerCase()
      assert.equal(addressOfKey(key), address)
      assert.equal(addressOfPeer(peer), address)
    }),
  )
})

test('a signature recovers to its signer, in both spellings, and to nobody else on another digest', () => {
  fc.assert(
    fc.property(privateKeys, digests, digests, (privateKey, digest, other) => {
      const signature = signDigest(digest, privateKey)
      const key = publicKeyOf(privateKey)
      const signer = { address: addressOfKey(key), peer: peerIdOfKey(key) }
      assert.deepEqual(recoverSignatory(digest, signature), signer)
      fc.pre(!Buffer.from(digest).equals(other))
      assert.notDeepEqual(recoverSignatory(other, signature), signer)
    }),
  )
})

test('what is not the PeerId of a secp256k1 key has no address', async () => {
  const ed25519 = peerIdFromPrivateKey(await generateKeyPair('Ed25519')).toString()
  const ours = peerIdOfKey(publicKeyOf(new Uint8Array(32).fill(7)))
  const bad = [
    '',
    'not base58: 0OIl',
    ed25519,
    ours.slice(0, -1),
    `${ours}1`,
    `1${ours}`,
    'Qm',
    '1'.repeat(200),
  ]
  for (const peer of bad) assert.throws(() => addressOfPeer(peer), { code: 'PEER_PROTOCOL' }, peer)
})

test('any text: an address or a coded refusal', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      assert.throws(() => addressOfPeer(text), { code: 'PEER_PROTOCOL' })
    }),
  )
})
