import type { Signer } from '../../ports/signer.ts'
import { addressOfKey, peerIdOfKey, publicKeyOf } from '../../protocol/identity.ts'
import { signDigest } from '../../protocol/signature.ts'

/** Signs with a private key that stays in this process's memory. */
export function createKeySigner(privateKey: Uint8Array): Signer {
  const publicKey = publicKeyOf(privateKey)
  return {
    address: addressOfKey(publicKey),
    peer: peerIdOfKey(publicKey),
    signDigest: (digest) => signDigest(digest, privateKey),
  }
}
