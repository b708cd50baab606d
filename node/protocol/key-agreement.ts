import secp256k1 from 'secp256k1'
import { HiveError } from '../domain/errors.ts'

const PRIVATE_KEY_BYTES = 32

/** The x coordinate of a private key times a stranger's point: for a key derivation and nothing else. Throws `MESSAGE_MALFORMED`. */
export function sharedPoint(publicKey: Uint8Array, privateKey: Uint8Array): Uint8Array {
  try {
    const x = new Uint8Array(32)
    return secp256k1.ecdh(publicKey, privateKey, { hashfn: (own) => own.slice() }, x)
  } catch (cause) {
    throw notAPoint(cause)
  }
}

/** A public key in its spelling of 65 bytes, from either. Throws `MESSAGE_MALFORMED`. */
export function uncompressed(publicKey: Uint8Array): Uint8Array {
  try {
    return secp256k1.publicKeyConvert(publicKey, false)
  } catch (cause) {
    throw notAPoint(cause)
  }
}

/** A fresh private key from the platform's secure source. */
export function randomPrivateKey(): Uint8Array {
  const key = new Uint8Array(PRIVATE_KEY_BYTES)
  do globalThis.crypto.getRandomValues(key)
  while (!secp256k1.privateKeyVerify(key))
  return key
}

function notAPoint(cause: unknown): HiveError {
  return new HiveError('MESSAGE_MALFORMED', { expected: 'a point of secp256k1' }, { cause })
}
