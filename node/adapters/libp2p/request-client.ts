import type { Libp2p, Stream } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import type { ErrorCode } from '../../domain/error-codes.ts'
import { HiveError } from '../../domain/errors.ts'
import type { PeerId } from '../../domain/ids.ts'
import type { Duplex } from '../../ports/conversations.ts'
import { type ProtocolName, PROTOCOLS } from '../../protocol/protocols.ts'
import { checkSize, decodeAnswer, maxAnswerFrameBytes } from './answer-codec.ts'
import { FramedDuplex } from './framed-duplex.ts'
import { FramedStream } from './framed-stream.ts'
import type { RequestServerOptions } from './request-server.ts'

/** What libp2p's refusals mean to a caller; any other while dialling is PEER_UNREACHABLE. */
const DIAL_FAULTS: Readonly<Record<string, ErrorCode>> = {
  UnsupportedProtocolError: 'PEER_PROTOCOL',
  TooManyOutboundProtocolStreamsError: 'PEER_QUOTA',
  StreamResetError: 'STREAM_CUT',
  UnexpectedEOFError: 'STREAM_CUT',
}

/** One request to one peer, from dialling to the last byte of the answer. */
export class Exchange implements Disposable {
  readonly #peer: PeerId
  readonly #protocol: ProtocolName
  readonly #signal: AbortSignal
  readonly #timeoutMs: number
  #framed: FramedStream | undefined
  #line: FramedDuplex | undefined

  constructor(
    peer: PeerId,
    protocol: ProtocolName,
    signal: AbortSignal,
    options: RequestServerOptions,
  ) {
    this.#peer = peer
    this.#protocol = protocol
    this.#signal = signal
    this.#timeoutMs = options.timeoutMs ?? PROTOCOLS[protocol].timeoutMs
  }

  /** Dials if need be and sends the request. */
  async send(libp2p: Libp2p, request: Uint8Array, maxOutboundStreams: number): Promise<void> {
    const { id, maxRequestBytes, maxResponseBytes } = PROTOCOLS[this.#protocol]
    checkSize(request, maxRequestBytes)
    const signal = this.#limited()
    let stream: Stream
    try {
      const options = { signal, maxOutboundStreams, runOnLimitedConnection: true }
      stream = await libp2p.dialProtocol(peerIdFromString(this.#peer), id, options)
    } catch (cause) {
      throw this.#fault(dialFault(cause), cause)
    }
    this.#framed = new FramedStream(stream, maxAnswerFrameBytes(maxResponseBytes))
    try {
      await this.#framed.write(request, signal)
      if (PROTOCOLS[this.#protocol].streams !== 'both') await this.#framed.closeWrite(signal)
    } catch (cause) {
      throw this.#fault(signal.aborted ? 'PEER_UNREACHABLE' : 'STREAM_CUT', cause)
    }
  }

  /** The one answer. */
  async answer(): Promise<Uint8Array> {
    const next = await this.#next('PEER_UNREACHABLE')
    if (next.kind === 'answer') return next.bytes
    throw this.#fault('PEER_PROTOCOL', next.kind)
  }

  /** The next frame, or `undefined` at the end frame. */
  async frame(): Promise<Uint8Array | undefined> {
    const next = await this.#next('STREAM_CUT')
    if (next.kind === 'frame') return next.bytes
    if (next.kind === 'end') return undefined
    throw this.#fault('PEER_PROTOCOL', next.kind)
  }

  /** The conversation that the request began. */
  converse(): Duplex {
    if (this.#framed === undefined) throw this.#fault('INTERNAL', 'nothing was sent')
    return (this.#line ??= new FramedDuplex(this.#framed, {
      protocol: this.#protocol,
      timeoutMs: this.#timeoutMs,
      signal: this.#signal,
      aborted: 'CANCELLED',
    }))
  }

  /** Frees the stream; before the answer came, this is what tells the handler to stop. */
  [Symbol.dispose](): void {
    this.#line?.[Symbol.dispose]()
    // what has ended on both sides may still be on its way
    if (this.#line?.isOver !== true) this.#framed?.abort(new HiveError('CANCELLED'))
  }

  async #next(late: ErrorCode) {
    const signal = this.#limited()
    let frame: Uint8Array | undefined
    try {
      frame = await this.#framed?.read(signal)
    } catch (cause) {
      // a frame against the rules has its own code already
      if (cause instanceof HiveError && !this.#signal.aborted) throw cause
      throw this.#fault(signal.aborted ? late : 'STREAM_CUT', cause)
    }
    if (frame === undefined) throw this.#fault('STREAM_CUT', undefined)
    return decodeAnswer(frame, PROTOCOLS[this.#protocol].maxResponseBytes)
  }

  #limited(): AbortSignal {
    return AbortSignal.any([this.#signal, AbortSignal.timeout(this.#timeoutMs)])
  }

  #fault(code: ErrorCode, cause: unknown): HiveError {
    if (this.#signal.aborted) return new HiveError('CANCELLED', {}, { cause: this.#signal.reason })
    return new HiveError(code, { peer: this.#peer, protocol: this.#protocol }, { cause })
  }
}

function dialFault(cause: unknown): ErrorCode {
  const name = cause instanceof Error ? cause.name : ''
  return DIAL_FAULTS[name] ?? 'PEER_UNREACHABLE'
}
