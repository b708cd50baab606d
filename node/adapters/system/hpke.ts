import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto'
import { HiveError } from '../../domain/errors.ts'
import { sharedPoint, uncompressed } from '../../protocol/key-agreement.ts'

/**
 * Hybrid public key encryption, RFC 9180, in its authenticated mode, one message a setup:
 * DHKEM(secp256k1, HKDF-SHA256) with the number 0x0016 that draft-wahby-cfrg-hpke-kem-secp256k1 asks for, HKDF-SHA256,
 * AES-256-GCM. The names below are the RFC's.
 */
const KEM_ID = 0x0016
const KDF_ID = 0x0001
const AEAD_ID = 0x0002
const MODE_AUTH = 0x02
const VERSION = text('HPKE-v1')
const KEM_SUITE = Buffer.concat([text('KEM'), int16(KEM_ID)])
const HPKE_SUITE = Buffer.concat([text('HPKE'), int16(KEM_ID), int16(KDF_ID), int16(AEAD_ID)])

const HASH_BYTES = 32
const KEY_BYTES = 32
const NONCE_BYTES = 12
const TAG_BYTES = 16
const NOTHING = new Uint8Array()

/** A sender's encapsulated key, bytes. */
export const ENC_BYTES = 65

/** One message's key and nonce. */
export interface MessageKey {
  readonly key: Uint8Array
  readonly nonce: Uint8Array
}

/** A secret that both ends can derive, and what the recipient needs for it. */
export interface Encapsulated {
  readonly enc: Uint8Array
  readonly shared: Uint8Array
}

/** AuthEncap: for the recipient, by a sender, with a key that must never be used again. Throws `MESSAGE_MALFORMED`. */
export function encapsulate(
  recipient: Uint8Array,
  sender: { readonly publicKey: Uint8Array; readonly privateKey: Uint8Array },
  ephemeral: { readonly publicKey: Uint8Array; readonly privateKey: Uint8Array },
): Encapsulated {
  const enc = uncompressed(ephemeral.publicKey)
  const dh = Buffer.concat([
    sharedPoint(recipient, ephemeral.privateKey),
    sharedPoint(recipient, sender.privateKey),
  ])
  return { enc, shared: extractAndExpand(dh, enc, recipient, sender.publicKey) }
}

/** AuthDecap. Throws `MESSAGE_MALFORMED` for an `enc` that is no point of the curve. */
export function decapsulate(
  enc: Uint8Array,
  recipient: { readonly publicKey: Uint8Array; readonly privateKey: Uint8Array },
  sender: Uint8Array,
): Uint8Array {
  const dh = Buffer.concat([
    sharedPoint(enc, recipient.privateKey),
    sharedPoint(sender, recipient.privateKey),
  ])
  return extractAndExpand(dh, enc, recipient.publicKey, sender)
}

/** KeySchedule, for the first message. */
export function messageKey(shared: Uint8Array, info: Uint8Array): MessageKey {
  const context = Buffer.concat([
    Uint8Array.of(MODE_AUTH),
    labeledExtract(HPKE_SUITE, NOTHING, 'psk_id_hash', NOTHING),
    labeledExtract(HPKE_SUITE, NOTHING, 'info_hash', info),
  ])
  const secret = labeledExtract(HPKE_SUITE, shared, 'secret', NOTHING)
  return {
    key: labeledExpand(HPKE_SUITE, secret, 'key', context, KEY_BYTES),
    nonce: labeledExpand(HPKE_SUITE, secret, 'base_nonce', context, NONCE_BYTES),
  }
}

/** AES-256-GCM; the tag follows the ciphertext. */
export function encrypt(
  { key, nonce }: MessageKey,
  context: Uint8Array,
  secret: Uint8Array,
): Uint8Array {
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(context)
  return Buffer.concat([cipher.update(secret), cipher.final(), cipher.getAuthTag()])
}

/** The reverse. Throws `SEAL_BROKEN`. */
export function decrypt(
  { key, nonce }: MessageKey,
  context: Uint8Array,
  box: Uint8Array,
): Uint8Array {
  if (box.byteLength < TAG_BYTES) throw new HiveError('SEAL_BROKEN', { bytes: box.byteLength })
  const end = box.byteLength - TAG_BYTES
  const cipher = createDecipheriv('aes-256-gcm', key, nonce).setAAD(context)
  cipher.setAuthTag(box.subarray(end))
  const secret = cipher.update(box.subarray(0, end))
  try {
    cipher.final()
    return secret
  } catch (cause) {
    // what did not prove true is nobody's to see
    secret.fill(0)
    throw new HiveError('SEAL_BROKEN', {}, { cause })
  }
}

function extractAndExpand(
  dh: Uint8Array,
  enc: Uint8Array,
  recipient: Uint8Array,
  sender: Uint8Array,
): Uint8Array {
  const context = Buffer.concat([enc, uncompressed(recipient), uncompressed(sender)])
  const prk = labeledExtract(KEM_SUITE, NOTHING, 'eae_prk', dh)
  dh.fill(0)
  return labeledExpand(KEM_SUITE, prk, 'shared_secret', context, HASH_BYTES)
}

function labeledExtract(
  suite: Uint8Array,
  salt: Uint8Array,
  label: string,
  ikm: Uint8Array,
): Uint8Array {
  // an empty salt stands for one of zeros, which HMAC makes of it by itself
  const mac = createHmac('sha256', salt)
  return mac.update(VERSION).update(suite).update(label).update(ikm).digest()
}

/** At most one hash long, so HKDF-Expand is a single round. */
function labeledExpand(
  suite: Uint8Array,
  prk: Uint8Array,
  label: string,
  info: Uint8Array,
  length: number,
): Uint8Array {
  const mac = createHmac('sha256', prk).update(int16(length)).update(VERSION).update(suite)
  return mac.update(label).update(info).update(Uint8Array.of(1)).digest().subarray(0, length)
}

function int16(value: number): Uint8Array {
  return Uint8Array.of(value >> 8, value & 0xff)
}

function text(ascii: string): Uint8Array {
  return Buffer.from(ascii, 'ascii')
}
