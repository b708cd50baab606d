import type { PeerId } from '../domain/ids.ts'
import type { ProtocolName } from '../protocol/protocols.ts'
import type { CallOptions } from './requests.ts'

/** One end of a two-way stream. Frames arrive whole and in order, with back-pressure, or the stream is cut. */
export interface Duplex {
  /**
   * The next frame, or `undefined` at the other end's end frame; one read at a time. Throws STREAM_CUT when the stream
   * is lost before it, and at the caller's end what the handler threw.
   */
  read(): Promise<Uint8Array | undefined>
  /** Resolves when more would be taken. Throws STREAM_CUT once nobody takes it, MESSAGE_TOO_LARGE. */
  write(frame: Uint8Array): Promise<void>
  /** Nothing more is written from here; reading goes on. Harmless a second time. */
  end(): Promise<void>
}

/** The caller's end. Disposal before both ends have ended cuts the stream. */
export interface OpenDuplex extends Duplex, Disposable {}

/** Answers a request by a conversation, which is over when it returns; the signal aborts when the caller leaves. */
export type DuplexHandler = (
  from: PeerId,
  request: Uint8Array,
  line: Duplex,
  options: CallOptions,
) => Promise<void>

/**
 * Two-way streams between peers, for the protocols whose row `streams` both ways. Sizes and quotas are those of the row
 * and are enforced on both sides; both ends notice when the other is silent for longer than its time.
 */
export interface Conversations {
  /**
   * Sends the request; whether it is taken is learnt by reading. Throws PEER_UNREACHABLE, PEER_PROTOCOL, PEER_QUOTA,
   * STREAM_CUT or MESSAGE_TOO_LARGE.
   */
  open(
    peer: PeerId,
    protocol: ProtocolName,
    request: Uint8Array,
    options: CallOptions,
  ): Promise<OpenDuplex>
  /** One handler a protocol. */
  answerDuplex(protocol: ProtocolName, handler: DuplexHandler): void
}
