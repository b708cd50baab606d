import type { ErrorCode } from '../../domain/error-codes.ts'
import { HiveError } from '../../domain/errors.ts'
import type { Duplex } from '../../ports/conversations.ts'
import { type ProtocolName, PROTOCOLS } from '../../protocol/protocols.ts'
import { decodeAnswer, encodeAnswer, encodeBeat, encodeEnd } from './answer-codec.ts'
import type { FramedStream } from './framed-stream.ts'

/** Beats in the time after which silence is a lost line: one may be late. */
const BEATS_PER_TIMEOUT = 3

/** What a conversation follows from. */
export interface FramedDuplexOptions {
  readonly protocol: ProtocolName
  /** Silence of the other end after which the line is lost, ms. */
  readonly timeoutMs: number
  /** Ends the conversation from here. */
  readonly signal: AbortSignal
  /** What an aborted signal means. */
  readonly aborted: ErrorCode
}

/**
 * One end of a two-way stream, after its request. Each end says that it is alive while it has nothing to send, so that a
 * peer that vanished is noticed; one that only does not take what we send is waited for. Disposal stops the beats.
 */
export class FramedDuplex implements Duplex, Disposable {
  readonly #framed: FramedStream
  readonly #options: FramedDuplexOptions
  readonly #maxBytes: number
  readonly #beats: NodeJS.Timeout
  #writing = 0
  #hasEnded = false
  #isOver = false

  constructor(framed: FramedStream, options: FramedDuplexOptions) {
    this.#framed = framed
    this.#options = options
    this.#maxBytes = PROTOCOLS[options.protocol].maxResponseBytes
    this.#beats = setInterval(() => this.#beat(), options.timeoutMs / BEATS_PER_TIMEOUT)
    this.#beats.unref()
  }

  /** Whether both ends have ended: nothing is lost by letting go. */
  get isOver(): boolean {
    return this.#hasEnded && this.#isOver
  }

  async read(): Promise<Uint8Array | undefined> {
    while (!this.#isOver) {
      const frame = await this.#next()
      const said = decodeAnswer(frame, this.#maxBytes)
      if (said.kind === 'frame') return said.bytes
      if (said.kind === 'answer') throw this.#fault('PEER_PROTOCOL', said.kind)
      this.#isOver = said.kind === 'end'
    }
    return undefined
  }

  async write(frame: Uint8Array): Promise<void> {
    if (this.#hasEnded) throw new HiveError('INTERNAL', { expected: 'nothing after the end' })
    await this.#send(encodeAnswer('frame', frame, this.#maxBytes))
  }

  async end(): Promise<void> {
    if (this.#hasEnded) return
    this.#hasEnded = true
    clearInterval(this.#beats)
    await this.#send(encodeEnd())
    try {
      await this.#framed.closeWrite(this.#options.signal)
    } catch (cause) {
      throw this.#fault('STREAM_CUT', cause)
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#beats)
  }

  async #next(): Promise<Uint8Array> {
    const { signal, timeoutMs } = this.#options
    let frame: Uint8Array | undefined
    try {
      frame = await this.#framed.read(AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]))
    } catch (cause) {
      // a frame against the rules has its own code already
      if (cause instanceof HiveError && !signal.aborted) throw cause
      throw this.#fault('STREAM_CUT', cause)
    }
    if (frame === undefined) throw this.#fault('STREAM_CUT', undefined)
    return frame
  }

  async #send(frame: Uint8Array): Promise<void> {
    this.#writing++
    try {
      await this.#framed.write(frame, this.#options.signal)
    } catch (cause) {
      throw this.#fault('STREAM_CUT', cause)
    } finally {
      this.#writing--
    }
  }

  #beat(): void {
    // behind a frame that is still waiting, a beat says nothing
    if (this.#writing > 0) return
    this.#send(encodeBeat()).catch(() => clearInterval(this.#beats)) // whoever reads hears why
  }

  #fault(code: ErrorCode, cause: unknown): HiveError {
    const { signal, aborted, protocol } = this.#options
    return new HiveError(signal.aborted ? aborted : code, { protocol }, { cause })
  }
}
