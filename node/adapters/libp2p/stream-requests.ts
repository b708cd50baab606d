import type { Libp2p } from '@libp2p/interface'
import { HiveError } from '../../domain/errors.ts'
import type { PeerId } from '../../domain/ids.ts'
import type { Conversations, DuplexHandler, OpenDuplex } from '../../ports/conversations.ts'
import type { Logger } from '../../ports/logger.ts'
import type { CallOptions, RequestHandler, Requests, StreamHandler } from '../../ports/requests.ts'
import { type ProtocolName, PROTOCOLS } from '../../protocol/protocols.ts'
import { Exchange } from './request-client.ts'
import { RequestQuota } from './request-quota.ts'
import { RequestServer, type RequestServerOptions } from './request-server.ts'

/** Direct calls over libp2p streams, one stream each. */
export class StreamRequests implements Requests, Conversations, AsyncDisposable {
  readonly #libp2p: Libp2p
  readonly #options: RequestServerOptions
  readonly #server: RequestServer
  readonly #sent = new RequestQuota()
  /** Streams open now, by protocol and peer. */
  readonly #open = new Map<string, number>()

  constructor(parts: { libp2p: Libp2p; logger: Logger }, options: RequestServerOptions) {
    this.#libp2p = parts.libp2p
    this.#options = options
    this.#server = new RequestServer(parts, options)
  }

  answer(protocol: ProtocolName, answer: RequestHandler): void {
    this.#server.serve(protocol, { streams: false, answer })
  }

  answerStream(protocol: ProtocolName, answer: StreamHandler): void {
    this.#server.serve(protocol, { streams: true, answer })
  }

  answerDuplex(protocol: ProtocolName, answer: DuplexHandler): void {
    this.#server.serve(protocol, { streams: 'both', answer })
  }

  async open(
    peer: PeerId,
    protocol: ProtocolName,
    request: Uint8Array,
    options: CallOptions,
  ): Promise<OpenDuplex> {
    using stack = new DisposableStack()
    stack.use(this.#takePlace(peer, protocol))
    const exchange = stack.use(await this.#begin(peer, protocol, request, options))
    const line = exchange.converse()
    const owned = stack.move()
    return {
      read: async () => line.read(),
      write: async (frame) => line.write(frame),
      end: async () => line.end(),
      [Symbol.dispose]: () => owned.dispose(),
    }
  }

  async call(
    peer: PeerId,
    protocol: ProtocolName,
    request: Uint8Array,
    options: CallOptions,
  ): Promise<Uint8Array> {
    using _place = this.#takePlace(peer, protocol)
    using exchange = await this.#begin(peer, protocol, request, options)
    return await exchange.answer()
  }

  async *stream(
    peer: PeerId,
    protocol: ProtocolName,
    request: Uint8Array,
    options: CallOptions,
  ): AsyncGenerator<Uint8Array> {
    using _place = this.#takePlace(peer, protocol)
    using exchange = await this.#begin(peer, protocol, request, options)
    for (;;) {
      const frame = await exchange.frame()
      if (frame === undefined) return
      yield frame
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server[Symbol.asyncDispose]()
  }

  /** Counts the streams open to a peer: one too many would be cut off at the other end, without a word. */
  #takePlace(peer: PeerId, protocol: ProtocolName): Disposable {
    const { maxStreams } = this.#options
    const key = `${protocol} ${peer}`
    const open = this.#open.get(key) ?? 0
    if (open >= maxStreams) throw new HiveError('PEER_QUOTA', { protocol, maxStreams })
    this.#open.set(key, open + 1)
    return {
      [Symbol.dispose]: () => {
        const left = (this.#open.get(key) ?? 1) - 1
        if (left > 0) this.#open.set(key, left)
        else this.#open.delete(key)
      },
    }
  }

  async #begin(
    peer: PeerId,
    protocol: ProtocolName,
    request: Uint8Array,
    { signal }: CallOptions,
  ): Promise<Exchange> {
    if (signal.aborted) throw new HiveError('CANCELLED', {}, { cause: signal.reason })
    const perMinute = PROTOCOLS[protocol].perPeerPerMinute
    if (!this.#sent.take(`${protocol} ${peer}`, perMinute, Date.now())) {
      throw new HiveError('PEER_QUOTA', { protocol, perMinute })
    }
    using stack = new DisposableStack()
    const exchange = stack.use(new Exchange(peer, protocol, signal, this.#options))
    await exchange.send(this.#libp2p, request, this.#options.maxStreams)
    stack.move()
    return exchange
  }
}
