import type { PeerId } from '../domain/ids.ts'
import type { ProtocolName } from '../protocol/protocols.ts'

/** Options of every direct call. */
export interface CallOptions {
  readonly signal: AbortSignal
}

/**
 * Answers one request. `from` is authenticated by the connection. A thrown HiveError reaches the
 * caller as the same code with its plain data; any other error as INTERNAL, without details.
 */
export type RequestHandler = (
  from: PeerId,
  request: Uint8Array,
  options: CallOptions,
) => Promise<Uint8Array>

/** Answers one request with frames; the signal aborts when the caller leaves. */
export type StreamHandler = (
  from: PeerId,
  request: Uint8Array,
  options: CallOptions,
) => AsyncIterable<Uint8Array>

/**
 * Direct calls between peers. Sizes, time limits and quotas are those of the protocol's row in
 * protocol/protocols.ts and are enforced on both sides; frames have back-pressure.
 */
export interface Requests {
  /** Throws PEER_UNREACHABLE, PEER_PROTOCOL, PEER_QUOTA, STREAM_CUT, MESSAGE_TOO_LARGE, or the handler's own code. */
  call(
    peer: PeerId,
    protocol: ProtocolName,
    request: Uint8Array,
    options: CallOptions,
  ): Promise<Uint8Array>
  /** Frames until the handler's end frame; a connection lost before it throws STREAM_CUT. Leaving the loop closes the stream. */
  stream(
    peer: PeerId,
    protocol: ProtocolName,
    request: Uint8Array,
    options: CallOptions,
  ): AsyncIterable<Uint8Array>
  /** One handler a protocol. */
  answer(protocol: ProtocolName, handler: RequestHandler): void
  /** One handler a protocol whose row `streams`. */
  answerStream(protocol: ProtocolName, handler: StreamHandler): void
}
