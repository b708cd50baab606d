import { decodePeerError, encodePeerError } from '../../node/adapters/libp2p/peer-error.ts'
import { RequestQuota } from '../../node/adapters/libp2p/request-quota.ts'
import type { ErrorCode } from '../../node/domain/error-codes.ts'
import { HiveError } from '../../node/domain/errors.ts'
import type { PeerId } from '../../node/domain/ids.ts'
import type { Conversations, DuplexHandler, OpenDuplex } from '../../node/ports/conversations.ts'
import type {
  CallOptions,
  RequestHandler,
  Requests,
  StreamHandler,
} from '../../node/ports/requests.ts'
import { type ProtocolName, PROTOCOLS } from '../../node/protocol/protocols.ts'
import { openFakeDuplex } from './fake-duplex.ts'
import type { FakeNetwork } from './fake-network.ts'

/** Direct calls by function call, under the same sizes, times and quotas as real ones. */
export class FakeRequests implements Requests, Conversations {
  readonly #network: FakeNetwork
  readonly #peer: PeerId
  readonly #handlers = new Map<ProtocolName, RequestHandler>()
  readonly #streamHandlers = new Map<ProtocolName, StreamHandler>()
  readonly #duplexHandlers = new Map<ProtocolName, DuplexHandler>()
  readonly #quota = new RequestQuota()

  constructor(network: FakeNetwork, peer: PeerId) {
    this.#network = network
    this.#peer = peer
  }

  answer(protocol: ProtocolName, handler: RequestHandler): void {
    this.#checkFree(protocol, false)
    this.#handlers.set(protocol, handler)
  }

  answerStream(protocol: ProtocolName, handler: StreamHandler): void {
    this.#checkFree(protocol, true)
    this.#streamHandlers.set(protocol, handler)
  }

  answerDuplex(protocol: ProtocolName, handler: DuplexHandler): void {
    this.#checkFree(protocol, 'both')
    this.#duplexHandlers.set(protocol, handler)
  }

  async open(
    peer: PeerId,
    protocol: ProtocolName,
    request: Uint8Array,
    options: CallOptions,
  ): Promise<OpenDuplex> {
    const { server, link } = this.#reach(peer, protocol, request, options)
    const handler = server.#duplexHandlers.get(protocol)
    if (handler === undefined) throw new HiveError('PEER_PROTOCOL', { peer, protocol })
    const { maxResponseBytes: maxBytes } = PROTOCOLS[protocol]
    const from = this.#peer
    return openFakeDuplex({ handler, from, request, maxBytes, link, caller: options.signal })
  }

  async call(
    peer: PeerId,
    protocol: ProtocolName,
    request: Uint8Array,
    options: CallOptions,
  ): Promise<Uint8Array> {
    const { server, link } = this.#reach(peer, protocol, request, options)
    const handler = server.#handlers.get(protocol)
    if (handler === undefined) throw new HiveError('PEER_PROTOCOL', { peer, protocol })
    using wait = new Wait(link, options.signal)
    const answer = handler(this.#peer, request.slice(), { signal: wait.handlerSignal })
    const bytes = await wait.for(asPeer(answer), this.#timeout(protocol), 'PEER_UNREACHABLE')
    return checkSize(bytes, PROTOCOLS[protocol].maxResponseBytes)
  }

  async *stream(
    peer: PeerId,
    protocol: ProtocolName,
    request: Uint8Array,
    options: CallOptions,
  ): AsyncGenerator<Uint8Array> {
    const { server, link } = this.#reach(peer, protocol, request, options)
    const handler = server.#streamHandlers.get(protocol)
    if (handler === undefined) throw new HiveError('PEER_PROTOCOL', { peer, protocol })
    using wait = new Wait(link, options.signal)
    const frames = handler(this.#peer, request.slice(), { signal: wait.handlerSignal })
    const iterator = frames[Symbol.asyncIterator]()
    try {
      for (;;) {
        const next = asPeer(iterator.next())
        const { done, value } = await wait.for(next, this.#timeout(protocol), 'STREAM_CUT')
        if (done === true) return
        yield checkSize(value, PROTOCOLS[protocol].maxResponseBytes)
      }
    } finally {
      wait.leave()
      // the handler's side of the stream: its cleanup is its own matter
      iterator.return?.().then(undefined, () => undefined)
    }
  }

  #reach(peer: PeerId, protocol: ProtocolName, request: Uint8Array, options: CallOptions) {
    if (options.signal.aborted)
      throw new HiveError('CANCELLED', {}, { cause: options.signal.reason })
    checkSize(request, PROTOCOLS[protocol].maxRequestBytes)
    const connected = this.#network.connect(this.#peer, peer)
    const link = this.#network.link(this.#peer, peer)
    const server = this.#network.node(peer)?.requests
    if (!connected || link === undefined || server === undefined) {
      throw new HiveError('PEER_UNREACHABLE', { peer })
    }
    server.#count(this.#peer, protocol)
    return { server, link }
  }

  #count(from: PeerId, protocol: ProtocolName): void {
    const now = this.#network.options.now ?? Date.now
    const limit = PROTOCOLS[protocol].perPeerPerMinute
    if (!this.#quota.take(`${from} ${protocol}`, limit, now())) {
      throw new HiveError('PEER_QUOTA', { protocol, perMinute: limit })
    }
  }

  #timeout(protocol: ProtocolName): number {
    return this.#network.options.timeoutMs ?? PROTOCOLS[protocol].timeoutMs
  }

  #checkFree(protocol: ProtocolName, streams: boolean | 'both'): void {
    const all = [this.#handlers, this.#streamHandlers, this.#duplexHandlers]
    const taken = all.some((handlers) => handlers.has(protocol))
    if (taken || PROTOCOLS[protocol].streams !== streams) {
      throw new HiveError('INTERNAL', { protocol, expected: 'one handler of its kind' })
    }
  }
}

/** Waiting for a peer until it answers, the link breaks, the caller leaves or time is up. */
class Wait implements Disposable {
  readonly handlerSignal: AbortSignal
  readonly #link: AbortSignal
  readonly #caller: AbortSignal
  readonly #left = new AbortController()

  constructor(link: AbortSignal, caller: AbortSignal) {
    this.#link = link
    this.#caller = caller
    this.handlerSignal = AbortSignal.any([link, caller, this.#left.signal])
  }

  leave(): void {
    this.#left.abort()
  }

  [Symbol.dispose](): void {
    this.leave()
  }

  async for<T>(work: Promise<T>, timeoutMs: number, late: ErrorCode): Promise<T> {
    const { promise, reject } = Promise.withResolvers<never>()
    const cancelled = (): void =>
      reject(new HiveError('CANCELLED', {}, { cause: this.#caller.reason }))
    const cut = (): void => reject(new HiveError('STREAM_CUT'))
    const timer = setTimeout(() => reject(new HiveError(late, { timeoutMs })), timeoutMs)
    this.#caller.addEventListener('abort', cancelled)
    this.#link.addEventListener('abort', cut)
    if (this.#caller.aborted) cancelled()
    if (this.#link.aborted) cut()
    try {
      return await Promise.race([promise, work])
    } finally {
      clearTimeout(timer)
      this.#caller.removeEventListener('abort', cancelled)
      this.#link.removeEventListener('abort', cut)
      // whichever lost the race still belongs to somebody
      work.catch(() => undefined)
    }
  }
}

/** What the handler does, with its error as it would look after the way over the wire. */
async function asPeer<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    throw decodePeerError(encodePeerError(error))
  }
}

function checkSize(bytes: Uint8Array, maxBytes: number): Uint8Array {
  if (bytes.byteLength <= maxBytes) return bytes.slice()
  throw new HiveError('MESSAGE_TOO_LARGE', { bytes: bytes.byteLength, maxBytes })
}
