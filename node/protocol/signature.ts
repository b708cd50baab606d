import secp256k1 from 'secp256k1'
import { HiveError } from '../domain/errors.ts'
import type { Address, PeerId } from '../domain/ids.ts'
import { addressOfKey, peerIdOfKey } from './identity.ts'

/** r ‖ s ‖ v, as the contract takes it. */
export const SIGNATURE_BYTES = 65
const V_OFFSET = 27

/** Who made a signature, in both spellings of the one key. */
export interface Signatory {
  readonly address: Address
  readonly peer: PeerId
}

/** Signs a 32-byte digest; low s, v of 27 or 28. */
export function signDigest(digest: Uint8Array, privateKey: Uint8Array): Uint8Array {
  const { signature, recid } = secp256k1.ecdsaSign(digest, privateKey)
  const bytes = new Uint8Array(SIGNATURE_BYTES)
  bytes.set(signature)
  bytes[SIGNATURE_BYTES - 1] = V_OFFSET + recid
  return bytes
}

/**
 * Recovers the signatory. Refuses, with `SIGNATURE_INVALID`, every other spelling of the same
 * signature (high s, short form, other v), as the contract does.
 */
export function recoverSignatory(digest: Uint8Array, signature: Uint8Array): Signatory {
  const v = signature[SIGNATURE_BYTES - 1]
  const wellFormed =
    signature.byteLength === SIGNATURE_BYTES && (v === V_OFFSET || v === V_OFFSET + 1)
  if (!wellFormed) throw new HiveError('SIGNATURE_INVALID', { bytes: signature.byteLength })
  const compact = Uint8Array.from(signature.subarray(0, 64))
  try {
    const low = secp256k1.signatureNormalize(Uint8Array.from(compact))
    if (low.some((byte, at) => byte !== compact[at]))
      throw new HiveError('SIGNATURE_INVALID', { s: 'high' })
    const key = secp256k1.ecdsaRecover(compact, v - V_OFFSET, digest)
    return { address: addressOfKey(key), peer: peerIdOfKey(key) }
  } catch (cause) {
    if (cause instanceof HiveError) throw cause
    throw new HiveError('SIGNATURE_INVALID', {}, { cause })
  }
}
