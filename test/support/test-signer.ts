import secp256k1 from 'secp256k1'
import type { Signer } from '../../node/ports/signer.ts'
import { addressOfKey, peerIdOfKey } from '../../node/protocol/identity.ts'
import { signDigest } from '../../node/protocol/signature.ts'

/** A key that only tests know: 31 zero bytes and `number`. */
export function testSigner(number: number): Signer {
  const privateKey = new Uint8Array(32)
  privateKey[31] = number
  const publicKey = secp256k1.publicKeyCreate(privateKey)
  return {
    address: addressOfKey(publicKey),
    peer: peerIdOfKey(publicKey),
    signDigest: (digest) => signDigest(digest, privateKey),
  }
}
