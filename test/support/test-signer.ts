import secp256k1 from 'secp256k1'
import type { Signer } from '../../node/ports/signer.ts'
import { addressOfKey, peerIdOfKey } from '../../node/protocol/identity.ts'
import { signDigest } from '../../node/protocol/signature.ts'

/** A private key that only tests know: 31 zero bytes and `number`. */
export function testKey(number: number): Uint8Array {
  const privateKey = new Uint8Array(32)
  privateKey[31] = number
  return privateKey
}

/** The signer of a test key. */
export function testSigner(number: number): Signer {
  const privateKey = testKey(number)
  const publicKey = secp256k1.publicKeyCreate(privateKey)
  return {
    address: addressOfKey(publicKey),
    peer: peerIdOfKey(publicKey),
    signDigest: (digest) => signDigest(digest, privateKey),
  }
}
