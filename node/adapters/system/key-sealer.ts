import { hkdfSync, randomBytes } from 'node:crypto'
import { HiveError } from '../../domain/errors.ts'
import type { Sealer } from '../../ports/sealer.ts'
import { keyOfPeer, publicKeyOf } from '../../protocol/identity.ts'
import { randomPrivateKey } from '../../protocol/key-agreement.ts'
import { decapsulate, decrypt, ENC_BYTES, encapsulate, encrypt, messageKey } from './hpke.ts'

/** Keeps these boxes apart from anything else that such keys may ever be used for. */
const INFO = Buffer.from('computehive/seal/1')
/** Likewise for the key that boxes for the own disk are made with. */
const OWN_INFO = 'computehive/seal-own/1'
const OWN_KEY_BYTES = 32
/** AES-GCM's; random ones are good for 2^32 boxes. */
const NONCE_BYTES = 12

/** Seals and opens with a private key that stays in this process's memory. */
export function createKeySealer(
  privateKey: Uint8Array,
  makeEphemeral: () => Uint8Array = randomPrivateKey,
): Sealer {
  const own = { publicKey: publicKeyOf(privateKey), privateKey }
  const ownKey = new Uint8Array(hkdfSync('sha256', privateKey, '', OWN_INFO, OWN_KEY_BYTES))
  return {
    sealFor(peer, context, secret) {
      const once = makeEphemeral()
      const ephemeral = { publicKey: publicKeyOf(once), privateKey: once }
      const { enc, shared } = encapsulate(keyOfPeer(peer), own, ephemeral)
      const key = messageKey(shared, INFO)
      const box = Buffer.concat([enc, encrypt(key, context, secret)])
      for (const spent of [once, shared, key.key]) spent.fill(0)
      return box
    },
    openFrom(peer, context, box) {
      if (box.byteLength < ENC_BYTES) throw new HiveError('SEAL_BROKEN', { bytes: box.byteLength })
      const shared = shareOf(box.subarray(0, ENC_BYTES), own, peer)
      const key = messageKey(shared, INFO)
      try {
        return decrypt(key, context, box.subarray(ENC_BYTES))
      } finally {
        for (const spent of [shared, key.key]) spent.fill(0)
      }
    },
    sealOwn(context, secret) {
      const nonce = randomBytes(NONCE_BYTES)
      return Buffer.concat([nonce, encrypt({ key: ownKey, nonce }, context, secret)])
    },
    openOwn(context, box) {
      const nonce = box.subarray(0, NONCE_BYTES)
      if (nonce.byteLength < NONCE_BYTES)
        throw new HiveError('SEAL_BROKEN', { bytes: box.byteLength })
      return decrypt({ key: ownKey, nonce }, context, box.subarray(NONCE_BYTES))
    },
  }
}

function shareOf(
  enc: Uint8Array,
  own: { readonly publicKey: Uint8Array; readonly privateKey: Uint8Array },
  peer: string,
): Uint8Array {
  try {
    return decapsulate(enc, own, keyOfPeer(peer))
  } catch (cause) {
    throw new HiveError('SEAL_BROKEN', {}, { cause })
  }
}
