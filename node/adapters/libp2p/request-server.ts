import type { Connection, Libp2p, Stream } from '@libp2p/interface'
import { codeOf, HiveError } from '../../domain/errors.ts'
import type { PeerId } from '../../domain/ids.ts'
import type { DuplexHandler } from '../../ports/conversations.ts'
import type { Logger } from '../../ports/logger.ts'
import type { RequestHandler, StreamHandler } from '../../ports/requests.ts'
import { type ProtocolName, PROTOCOLS } from '../../protocol/protocols.ts'
import {
  checkSize,
  encodeAnswer,
  encodeEnd,
  encodeFailure,
  maxAnswerFrameBytes,
} from './answer-codec.ts'
import { FramedDuplex } from './framed-duplex.ts'
import { FramedStream } from './framed-stream.ts'
import { RequestQuota } from './request-quota.ts'
import { own } from './running.ts'

/** Limits of the answering side beside the protocol table. */
export interface RequestServerOptions {
  /** Streams of one protocol that one connection may hold open at once. */
  readonly maxStreams: number
  /** Replaces the time limit of every row, ms; for tests. */
  readonly timeoutMs?: number | undefined
}

type Handler =
  | { readonly streams: false; readonly answer: RequestHandler }
  | { readonly streams: true; readonly answer: StreamHandler }
  | { readonly streams: 'both'; readonly answer: DuplexHandler }

/** Answers requests of peers. A handler gets nothing that is larger or more frequent than its row. */
export class RequestServer implements AsyncDisposable {
  readonly #libp2p: Libp2p
  readonly #logger: Logger
  readonly #options: RequestServerOptions
  readonly #protocols = new Set<ProtocolName>()
  readonly #running = new Set<Promise<void>>()
  readonly #quota = new RequestQuota()
  readonly #stop = new AbortController()

  constructor(parts: { libp2p: Libp2p; logger: Logger }, options: RequestServerOptions) {
    this.#libp2p = parts.libp2p
    this.#logger = parts.logger
    this.#options = options
  }

  /** Installs the one handler of a protocol. Throws INTERNAL on a second one or one of the other kind. */
  serve(protocol: ProtocolName, handler: Handler): void {
    if (this.#protocols.has(protocol) || PROTOCOLS[protocol].streams !== handler.streams) {
      throw new HiveError('INTERNAL', { protocol, expected: 'one handler of its kind' })
    }
    this.#protocols.add(protocol)
    void own(this.#running, this.#install(protocol, handler))
  }

  /** Refuses new requests, aborts the handlers and waits for them. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await this.#libp2p.unhandle([...this.#protocols].map((protocol) => PROTOCOLS[protocol].id))
    await Promise.all(this.#running)
  }

  async #install(protocol: ProtocolName, handler: Handler): Promise<void> {
    const { maxStreams } = this.#options
    try {
      await this.#libp2p.handle(
        PROTOCOLS[protocol].id,
        (stream, connection) =>
          own(this.#running, this.#take(protocol, handler, stream, connection)),
        {
          maxInboundStreams: maxStreams,
          maxOutboundStreams: maxStreams,
          runOnLimitedConnection: true,
        },
      )
    } catch (error) {
      // only a node that is stopping refuses handlers
      this.#logger.warn('protocol not served', { protocol, error: String(error) })
    }
  }

  async #take(
    protocol: ProtocolName,
    handler: Handler,
    stream: Stream,
    connection: Connection,
  ): Promise<void> {
    const from = connection.remotePeer.toString()
    const framed = new FramedStream(stream, maxFrameBytes(protocol))
    const left = new AbortController()
    stream.addEventListener('close', () => left.abort(), { once: true })
    if (stream.status !== 'open') return
    const gone = AbortSignal.any([left.signal, this.#stop.signal])
    try {
      await this.#answer(protocol, handler, from, framed, gone)
      await framed.closeWrite(this.#limited(protocol, gone))
      // a caller that never closes its side would hold the stream's place
      await framed.readToEnd(this.#limited(protocol, gone))
    } catch (error) {
      // nobody is left to tell: the caller went away, or never sent its request
      this.#logger.debug('request not answered', { protocol, peer: from, code: codeOf(error) })
      framed.abort(new HiveError('STREAM_CUT', { protocol }, { cause: error }))
    }
  }

  async #answer(
    protocol: ProtocolName,
    handler: Handler,
    from: PeerId,
    framed: FramedStream,
    gone: AbortSignal,
  ): Promise<void> {
    const { maxResponseBytes: maxBytes } = PROTOCOLS[protocol]
    const send = (frame: Uint8Array): Promise<void> =>
      framed.write(frame, this.#limited(protocol, gone))
    try {
      this.#count(protocol, from)
      const request = await framed.read(this.#limited(protocol, gone))
      if (request === undefined) throw new HiveError('STREAM_CUT', { protocol })
      checkSize(request, PROTOCOLS[protocol].maxRequestBytes)
      if (handler.streams === 'both') {
        using line = this.#line(protocol, framed, gone)
        await handler.answer(from, request, line, { signal: gone })
        await line.end()
      } else if (handler.streams) {
        for await (const frame of handler.answer(from, request, { signal: gone })) {
          await send(encodeAnswer('frame', frame, maxBytes))
        }
        await send(encodeEnd())
      } else {
        const signal = this.#limited(protocol, gone)
        await send(
          encodeAnswer('answer', await handler.answer(from, request, { signal }), maxBytes),
        )
      }
    } catch (error) {
      if (gone.aborted) throw error
      this.#report(protocol, from, error)
      await send(encodeFailure(error))
    }
  }

  #line(protocol: ProtocolName, framed: FramedStream, signal: AbortSignal): FramedDuplex {
    const timeoutMs = this.#options.timeoutMs ?? PROTOCOLS[protocol].timeoutMs
    return new FramedDuplex(framed, { protocol, timeoutMs, signal, aborted: 'STREAM_CUT' })
  }

  #count(protocol: ProtocolName, from: PeerId): void {
    const perMinute = PROTOCOLS[protocol].perPeerPerMinute
    if (this.#quota.take(`${protocol} ${from}`, perMinute, Date.now())) return
    throw new HiveError('PEER_QUOTA', { protocol, perMinute })
  }

  #limited(protocol: ProtocolName, signal: AbortSignal): AbortSignal {
    const timeoutMs = this.#options.timeoutMs ?? PROTOCOLS[protocol].timeoutMs
    return AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])
  }

  #report(protocol: ProtocolName, peer: PeerId, error: unknown): void {
    if (error instanceof HiveError) {
      this.#logger.debug('request refused', { protocol, peer, code: error.code })
    } else {
      this.#logger.error('request handler failed', { protocol, peer, error: String(error) })
    }
  }
}

/** Largest frame that a caller may send. */
function maxFrameBytes(protocol: ProtocolName): number {
  const { streams, maxRequestBytes, maxResponseBytes } = PROTOCOLS[protocol]
  if (streams !== 'both') return maxRequestBytes
  return Math.max(maxRequestBytes, maxAnswerFrameBytes(maxResponseBytes))
}
