import { decodePeerError, encodePeerError } from '../../node/adapters/libp2p/peer-error.ts'
import type { ErrorCode } from '../../node/domain/error-codes.ts'
import { HiveError } from '../../node/domain/errors.ts'
import type { PeerId } from '../../node/domain/ids.ts'
import { KiB } from '../../node/domain/units.ts'
import type { Duplex, DuplexHandler, OpenDuplex } from '../../node/ports/conversations.ts'

/** Unread bytes at which a writer waits. */
const HIGH_WATER_BYTES = 256 * KiB

/** What lies between the two ends, one way. `undefined` is the end frame. */
class Pipe {
  readonly #sent: (Uint8Array | HiveError | undefined)[] = []
  #bytes = 0
  #changed = Promise.withResolvers<void>()

  get isFull(): boolean {
    return this.#bytes > HIGH_WATER_BYTES
  }

  put(item: Uint8Array | HiveError | undefined): void {
    this.#sent.push(item)
    if (item instanceof Uint8Array) this.#bytes += item.byteLength
    this.#notify()
  }

  /** What came next, or nothing yet. */
  take(): { readonly item: Uint8Array | HiveError | undefined } | undefined {
    if (this.#sent.length === 0) return undefined
    const item = this.#sent.shift()
    if (item instanceof Uint8Array) this.#bytes -= item.byteLength
    this.#notify()
    return { item }
  }

  async change(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const onAbort = (): void => resolve()
    signal.addEventListener('abort', onAbort, { once: true })
    if (signal.aborted) resolve()
    await Promise.race([promise, this.#changed.promise])
    signal.removeEventListener('abort', onAbort)
  }

  #notify(): void {
    this.#changed.resolve()
    this.#changed = Promise.withResolvers<void>()
  }
}

/** One end: where it reads, where it writes, and when the line is cut. */
class End implements Duplex {
  readonly #incoming: Pipe
  readonly #outgoing: Pipe
  readonly #line: { readonly signal: AbortSignal; readonly fault: () => ErrorCode }
  readonly #maxBytes: number
  #hasEnded = false
  #isOver = false

  constructor(
    incoming: Pipe,
    outgoing: Pipe,
    line: { readonly signal: AbortSignal; readonly fault: () => ErrorCode },
    maxBytes: number,
  ) {
    this.#incoming = incoming
    this.#outgoing = outgoing
    this.#line = line
    this.#maxBytes = maxBytes
  }

  async read(): Promise<Uint8Array | undefined> {
    const { signal, fault } = this.#line
    while (!this.#isOver) {
      const next = this.#incoming.take()
      if (next?.item instanceof HiveError) throw next.item
      if (next?.item !== undefined) return next.item
      if (next !== undefined) this.#isOver = true
      else if (signal.aborted) throw new HiveError(fault())
      else await this.#incoming.change(signal)
    }
    return undefined
  }

  async write(frame: Uint8Array): Promise<void> {
    const { signal, fault } = this.#line
    if (this.#hasEnded) throw new HiveError('INTERNAL', { expected: 'nothing after the end' })
    if (frame.byteLength > this.#maxBytes)
      throw new HiveError('MESSAGE_TOO_LARGE', { bytes: frame.byteLength })
    if (signal.aborted) throw new HiveError(fault())
    this.#outgoing.put(frame.slice())
    while (this.#outgoing.isFull) {
      if (signal.aborted) throw new HiveError(fault())
      await this.#outgoing.change(signal)
    }
  }

  async end(): Promise<void> {
    if (!this.#hasEnded) this.#outgoing.put(undefined)
    this.#hasEnded = true
  }
}

/** Who talks to whom, and what may end it. */
export interface FakeLine {
  readonly handler: DuplexHandler
  readonly from: PeerId
  readonly request: Uint8Array
  readonly maxBytes: number
  /** Aborts when the connection breaks. */
  readonly link: AbortSignal
  readonly caller: AbortSignal
}

/** Starts a handler on one end of a two-way stream and gives the other. */
export function openFakeDuplex(line: FakeLine): OpenDuplex {
  const { handler, from, request, maxBytes, link, caller } = line
  const [up, down] = [new Pipe(), new Pipe()]
  const left = new AbortController()
  const signal = AbortSignal.any([link, caller, left.signal])
  const serving = new End(up, down, { signal, fault: () => 'STREAM_CUT' }, maxBytes)
  const fault = (): ErrorCode => (caller.aborted ? 'CANCELLED' : 'STREAM_CUT')
  const calling = new End(down, up, { signal, fault }, maxBytes)
  void handler(from, request.slice(), serving, { signal })
    .then(async () => serving.end())
    .catch((error: unknown) => down.put(decodePeerError(encodePeerError(error))))
  return {
    read: async () => calling.read(),
    write: async (frame) => calling.write(frame),
    end: async () => calling.end(),
    [Symbol.dispose]: () => left.abort(),
  }
}
