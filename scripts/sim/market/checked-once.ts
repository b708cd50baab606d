import type { EnvelopeCodec, Signed } from '../../../node/protocol/envelope.ts'
import type { MessageName, Messages } from '../../../node/protocol/messages.ts'

/** A codec that tells what it opened. */
export interface WatchedCodec extends EnvelopeCodec {
  /** Called with every envelope that was opened, known or new. */
  onOpened: (name: MessageName, message: Messages[MessageName]) => void
}

/**
 * A codec that checks the same array of bytes once: ten thousand nodes that hear one offer hold the one array, whose
 * signature is recovered for the first of them. Bytes that came by another way are opened anew, equal or not. What
 * it throws is not kept.
 */
export function checkedOnce(codec: EnvelopeCodec): WatchedCodec {
  const known = new WeakMap<Uint8Array, Signed<MessageName>>()
  return {
    ...codec,
    onOpened: () => undefined,
    open<N extends MessageName>(name: N, bytes: Uint8Array): Signed<N> {
      const before = known.get(bytes)
      const signed = before?.name === name ? (before as Signed<N>) : codec.open(name, bytes)
      if (signed !== before) known.set(bytes, signed as unknown as Signed<MessageName>)
      this.onOpened(name, signed.message)
      return signed
    },
  }
}
