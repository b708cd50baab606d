import { HiveError } from '../domain/errors.ts'
import type { Bytes32 } from '../domain/ids.ts'
import { decodeCbor, encodeCbor } from './cbor.ts'
import { MESSAGES, type MessageName, type Messages } from './messages.ts'
import { asMap, malformed, recordFromWire, recordToWire } from './schema.ts'
import { recoverSignatory, SIGNATURE_BYTES, type Signatory } from './signature.ts'
import { digestOf, domainSeparator, structHash, type SigningDomain } from './typed-data.ts'

/** A message with its id and the signatures that were checked. */
export interface Signed<N extends MessageName> {
  readonly name: N
  readonly message: Messages[N]
  /** EIP-712 struct hash. */
  readonly id: Bytes32
  /** In signing order; two-party messages may still lack the second. */
  readonly signatories: readonly Signatory[]
  readonly signatures: readonly Uint8Array[]
  /** The envelope as it travels. */
  readonly bytes: Uint8Array
}

/** Signs a 32-byte digest with the node's key. */
export type SignDigest = (digest: Uint8Array) => Uint8Array

/** Reads and writes the envelopes of one signing domain. */
export interface EnvelopeCodec {
  readonly domain: SigningDomain
  /** Signs a new message. Throws `MESSAGE_MALFORMED` or `MESSAGE_TOO_LARGE` for one that nobody would take. */
  seal<N extends MessageName>(name: N, message: Messages[N], sign: SignDigest): Signed<N>
  /** Adds the second signature of a two-party message. */
  countersign<N extends MessageName>(signed: Signed<N>, sign: SignDigest): Signed<N>
  /**
   * Decodes a stranger's bytes: size, shape, canonical form, then signatures. Throws
   * `MESSAGE_TOO_LARGE`, `MESSAGE_MALFORMED`, `MESSAGE_NOT_CANONICAL` or `SIGNATURE_INVALID`.
   * Whether the signatory is the right one is for the message's own rules to say.
   */
  open<N extends MessageName>(name: N, bytes: Uint8Array): Signed<N>
}

/** An envelope codec for one chain and contract. */
export function createEnvelopeCodec(domain: SigningDomain): EnvelopeCodec {
  const separator = domainSeparator(domain)
  const digest = (id: Bytes32) => digestOf(separator, id)

  function assemble<N extends MessageName>(
    name: N,
    message: Messages[N],
    id: Bytes32,
    signatures: readonly Uint8Array[],
  ): Signed<N> {
    const signatories = signatures.map((signature) => recoverSignatory(digest(id), signature))
    return { name, message, id, signatures, signatories, bytes: encode(name, message, signatures) }
  }

  return {
    domain,
    seal(name, message, sign) {
      // What no peer would take is refused before it is signed.
      recordToWire(MESSAGES[name].fields, message)
      const id = structHash(name, message)
      return assemble(name, message, id, [sign(digest(id))])
    },
    countersign({ name, message, id, signatures }, sign) {
      return assemble(name, message, id, [...signatures, sign(digest(id))])
    },
    open(name, bytes) {
      const { message, signatures } = decode(name, bytes)
      return assemble(name, message, structHash(name, message), signatures)
    },
  }
}

function encode<N extends MessageName>(
  name: N,
  message: Messages[N],
  signatures: readonly Uint8Array[],
): Uint8Array {
  const bytes = encodeCbor({
    t: name,
    m: recordToWire(MESSAGES[name].fields, message),
    s: signatures,
  })
  const { maxBytes } = MESSAGES[name]
  if (bytes.byteLength > maxBytes) {
    throw new HiveError('MESSAGE_TOO_LARGE', { type: name, bytes: bytes.byteLength, maxBytes })
  }
  return bytes
}

function decode<N extends MessageName>(name: N, bytes: Uint8Array) {
  const { fields, maxBytes, signers } = MESSAGES[name]
  const raw = asMap(decodeCbor(bytes, maxBytes), name)
  if (Object.keys(raw).length !== 3 || raw['t'] !== name)
    malformed(name, 'an envelope {t, m, s} of this type')
  const signatures = raw['s']
  if (!Array.isArray(signatures) || signatures.length < 1 || signatures.length > signers) {
    return malformed(`${name}.s`, `1 to ${signers} signatures`)
  }
  const isSignature = (each: unknown): each is Uint8Array =>
    each instanceof Uint8Array && each.byteLength === SIGNATURE_BYTES
  if (!signatures.every(isSignature)) return malformed(`${name}.s`, `${SIGNATURE_BYTES} bytes each`)
  return { message: recordFromWire<Messages[N]>(fields, raw['m'], name), signatures }
}
