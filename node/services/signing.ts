import { HiveError } from '../domain/errors.ts'
import type { Address } from '../domain/ids.ts'
import type { Signer } from '../ports/signer.ts'
import type { EnvelopeCodec, Signed } from '../protocol/envelope.ts'
import type { MessageName, Messages } from '../protocol/messages.ts'

/** Seals and opens envelopes with this node's key. */
export interface Signing {
  readonly address: Address
  readonly peer: string
  seal<N extends MessageName>(name: N, message: Messages[N]): Signed<N>
  countersign<N extends MessageName>(signed: Signed<N>): Signed<N>
  /** Opens a stranger's envelope and insists on who signed it, and on how many did. */
  openFrom<N extends MessageName>(
    name: N,
    bytes: Uint8Array,
    signers: readonly Address[],
  ): Signed<N>
  /** Opens it without saying who must have signed: the caller's rules do. */
  open<N extends MessageName>(name: N, bytes: Uint8Array): Signed<N>
}

/** Joins the node's key with the codec of its chain and contract. */
export function createSigning(codec: EnvelopeCodec, signer: Signer): Signing {
  const sign = (digest: Uint8Array) => signer.signDigest(digest)
  return {
    address: signer.address,
    peer: signer.peer,
    seal: (name, message) => codec.seal(name, message, sign),
    countersign: (signed) => codec.countersign(signed, sign),
    open: (name, bytes) => codec.open(name, bytes),
    openFrom(name, bytes, signers) {
      const signed = codec.open(name, bytes)
      const found = signed.signatories.map(({ address }) => address)
      const same =
        found.length === signers.length && found.every((each, at) => each === signers[at])
      if (!same)
        throw new HiveError('SIGNATURE_INVALID', {
          type: name,
          expected: signers.join(' '),
          found: found.join(' '),
        })
      return signed
    },
  }
}
