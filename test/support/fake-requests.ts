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
import type { Clock } from '../../node/ports/clock.ts'

/** What direct calls travel over. Where neither `clock` nor `carry` is given, they take no time and time is the machine's. */
export interface Wires {
  readonly options: {
    /** Time limit of every protocol instead of its row's, ms. */
    readonly timeoutMs?: number
    /** Unix ms, for quotas. Default: the machine's clock. */
    readonly now?: () => number
    /** What time limits go by. Default: the machine's timers. */
    readonly clock?: Clock
  }
  /** Connects two nodes if that is possible now. */
  connect(a: PeerId, b: PeerId): boolean
  /** Aborts when the connection of two nodes breaks; `undefined` while there is none. */
  link(a: PeerId, b: PeerId): AbortSignal | undefined
  node(peer: PeerId): { readonly requests: FakeRequests } | undefined
  /** Resolves when so many bytes of a protocol have arrived; one that is cut off never does. */
  carry?(from: PeerId, to: PeerId, protocol: ProtocolName, bytes: number): Promise<void>
}

/** Direct calls by function call, under the same sizes, times and quotas as real ones. */
export class FakeRequests implements Requests, Conversations {
  readonly #network: Wires
  readonly #peer: PeerId
  readonly #handlers = new Map<ProtocolName, RequestHandler>()
  readonly #streamHandlers = new Map<ProtocolName, StreamHandler>()
  readonly #duplexHandlers = new Map<ProtocolName, DuplexHandler>()
  readonly #quota = new RequestQuota()

  constructor(network: Wires, peer: PeerId) {
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
    using wait = new Wait(link, options.signal, this.#network.options.clock)
    const { handlerSignal: signal } = wait
    const answer = async () => {
      await this.#sent(peer, protocol, request)
      return this.#answered(peer, protocol, handler(this.#peer, request.slice(), { signal }))
    }
    const bytes = await wait.for(answer(), this.#timeout(protocol), 'PEER_UNREACHABLE')
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
    using wait = new Wait(link, options.signal, this.#network.options.clock)
    const limit = this.#timeout(protocol)
    if (this.#network.carry !== undefined)
      await wait.for(this.#sent(peer, protocol, request), limit, 'STREAM_CUT')
    const frames = handler(this.#peer, request.slice(), { signal: wait.handlerSignal })
    const iterator = frames[Symbol.asyncIterator]()
    try {
      for (;;) {
        const next = this.#framed(peer, protocol, iterator.next())
        const { done, value } = await wait.for(next, limit, 'STREAM_CUT')
        if (done === true) return
        yield checkSize(value, PROTOCOLS[protocol].maxResponseBytes)
      }
    } finally {
      wait.leave()
      // the handler's side of the stream: its cleanup is its own matter
      iterator.return?.().then(undefined, () => undefined)
    }
  }

  /** A request's way there. */
  async #sent(peer: PeerId, protocol: ProtocolName, request: Uint8Array): Promise<void> {
    await this.#network.carry?.(this.#peer, peer, protocol, request.byteLength)
  }

  /** What the handler answered, after its way back. */
  async #answered(
    peer: PeerId,
    protocol: ProtocolName,
    work: Promise<Uint8Array>,
  ): Promise<Uint8Array> {
    const answer = await asPeer(work).catch(async (error: unknown) => {
      await this.#network.carry?.(peer, this.#peer, protocol, 0)
      throw error
    })
    await this.#network.carry?.(peer, this.#peer, protocol, answer.byteLength)
    return answer
  }

  /** A frame, after its way back. */
  async #framed(
    peer: PeerId,
    protocol: ProtocolName,
    next: Promise<IteratorResult<Uint8Array>>,
  ): Promise<IteratorResult<Uint8Array>> {
    const frame = await asPeer(next)
    const bytes = frame.done === true ? 0 : frame.value.byteLength
    await this.#network.carry?.(peer, this.#peer, protocol, bytes)
    return frame
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

/** Why what waited does not any more; one for all, as each of its own would cost a stack trace. */
const OVER = new HiveError('CANCELLED')

/** Waiting for a peer until it answers, the link breaks, the caller leaves or time is up. */
class Wait implements Disposable {
  readonly handlerSignal: AbortSignal
  readonly #link: AbortSignal
  readonly #caller: AbortSignal
  readonly #clock: Clock | undefined
  readonly #left = new AbortController()

  constructor(link: AbortSignal, caller: AbortSignal, clock: Clock | undefined) {
    this.#link = link
    this.#caller = caller
    this.#clock = clock
    this.handlerSignal = AbortSignal.any([link, caller, this.#left.signal])
  }

  leave(): void {
    this.#left.abort(OVER)
  }

  [Symbol.dispose](): void {
    this.leave()
  }

  async for<T>(work: Promise<T>, timeoutMs: number, late: ErrorCode): Promise<T> {
    const { promise, reject } = Promise.withResolvers<never>()
    const cancelled = (): void =>
      reject(new HiveError('CANCELLED', {}, { cause: this.#caller.reason }))
    const cut = (): void => reject(new HiveError('STREAM_CUT'))
    const stop = after(this.#clock, timeoutMs, () => reject(new HiveError(late, { timeoutMs })))
    this.#caller.addEventListener('abort', cancelled)
    this.#link.addEventListener('abort', cut)
    if (this.#caller.aborted) cancelled()
    if (this.#link.aborted) cut()
    try {
      return await Promise.race([promise, work])
    } finally {
      stop()
      this.#caller.removeEventListener('abort', cancelled)
      this.#link.removeEventListener('abort', cut)
      // whichever lost the race still belongs to somebody
      work.catch(() => undefined)
    }
  }
}

/** Calls `late` after `ms` unless it is stopped. */
function after(clock: Clock | undefined, ms: number, late: () => void): () => void {
  if (clock === undefined) {
    const timer = setTimeout(late, ms)
    return () => clearTimeout(timer)
  }
  const stop = new AbortController()
  clock.sleep(ms, stop.signal).then(late, () => undefined) // it was not needed
  return () => stop.abort(OVER)
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
