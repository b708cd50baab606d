import { HiveError } from '../../domain/errors.ts'
import { decodePeerError, encodePeerError, MAX_ERROR_BYTES } from './peer-error.ts'

/** First byte of what an answering node sends. */
const KIND = {
  /** One answer; nothing follows. */
  answer: 0,
  /** One of several; more follows. */
  frame: 1,
  /** The end of several. */
  end: 2,
  /** The handler's error; nothing follows. */
  error: 3,
  /** Of a two-way stream: its sender is alive. */
  beat: 4,
} as const

/** What an answering node sent. An error is thrown instead. */
export type Answer =
  | { readonly kind: 'answer' | 'frame'; readonly bytes: Uint8Array }
  | { readonly kind: 'end' | 'beat' }

/** Largest frame that an answering node may send when its answers have `maxBytes`. */
export function maxAnswerFrameBytes(maxBytes: number): number {
  return 1 + Math.max(maxBytes, MAX_ERROR_BYTES)
}

/** Throws MESSAGE_TOO_LARGE when the handler's bytes are more than its row allows. */
export function encodeAnswer(
  kind: 'answer' | 'frame',
  bytes: Uint8Array,
  maxBytes: number,
): Uint8Array {
  checkSize(bytes, maxBytes)
  return tagged(KIND[kind], bytes)
}

export function encodeEnd(): Uint8Array {
  return Uint8Array.of(KIND.end)
}

export function encodeBeat(): Uint8Array {
  return Uint8Array.of(KIND.beat)
}

/** Whatever a handler threw, as the caller may see it. */
export function encodeFailure(error: unknown): Uint8Array {
  return tagged(KIND.error, encodePeerError(error))
}

/** Throws the handler's own error, MESSAGE_TOO_LARGE, or PEER_PROTOCOL for anything unknown. */
export function decodeAnswer(frame: Uint8Array, maxBytes: number): Answer {
  const body = frame.subarray(1)
  const kind: number = frame[0] ?? NaN
  switch (kind) {
    case KIND.answer:
      return { kind: 'answer', bytes: checkSize(body, maxBytes) }
    case KIND.frame:
      return { kind: 'frame', bytes: checkSize(body, maxBytes) }
    case KIND.end:
      if (body.byteLength === 0) return { kind: 'end' }
      break
    case KIND.beat:
      if (body.byteLength === 0) return { kind: 'beat' }
      break
    case KIND.error:
      throw decodePeerError(body)
    default:
  }
  throw new HiveError('PEER_PROTOCOL', { expected: 'an answer, a frame, an end or an error' })
}

/** Returns `bytes`, or throws MESSAGE_TOO_LARGE. */
export function checkSize(bytes: Uint8Array, maxBytes: number): Uint8Array {
  if (bytes.byteLength <= maxBytes) return bytes
  throw new HiveError('MESSAGE_TOO_LARGE', { bytes: bytes.byteLength, maxBytes })
}

function tagged(kind: number, bytes: Uint8Array): Uint8Array {
  const frame = new Uint8Array(1 + bytes.byteLength)
  frame[0] = kind
  frame.set(bytes, 1)
  return frame
}
