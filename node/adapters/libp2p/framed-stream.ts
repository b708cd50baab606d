import type { Stream } from '@libp2p/interface'
import { HiveError } from '../../domain/errors.ts'
import { KiB } from '../../domain/units.ts'
import { encodeLength, FrameDecoder } from './frame-decoder.ts'

/** Read ahead beyond this stops the sender; one largest frame fits below it, bytes. */
const HIGH_WATER_BYTES = 256 * KiB
/** Read ahead below this lets the sender go on, bytes. */
const LOW_WATER_BYTES = 64 * KiB

/**
 * Frames over a libp2p stream: an unsigned varint length, then that many bytes. A sender that is
 * faster than its reader waits, on both ends; libp2p's own iterators would buffer without bound.
 */
export class FramedStream {
  readonly #stream: Stream
  readonly #decoder: FrameDecoder
  readonly #frames: Uint8Array[] = []
  #queuedBytes = 0
  #resuming = false
  #fault: HiveError | undefined
  #changed = Promise.withResolvers<void>()

  /** Takes over `stream`; a frame longer than `maxFrameBytes` ends it with MESSAGE_TOO_LARGE. */
  constructor(stream: Stream, maxFrameBytes: number) {
    this.#stream = stream
    this.#decoder = new FrameDecoder(maxFrameBytes)
    stream.addEventListener('message', ({ data }) => this.#receive(data.subarray()))
    stream.addEventListener('drain', () => this.#notify())
    stream.addEventListener('end', () => this.#notify())
    stream.addEventListener('close', () => this.#notify())
  }

  /**
   * The next frame; `undefined` when the other end stopped writing or the connection is gone, which
   * look the same. Throws STREAM_CUT inside a frame, MESSAGE_TOO_LARGE, or the signal's reason.
   */
  async read(signal: AbortSignal): Promise<Uint8Array | undefined> {
    for (;;) {
      const frame = this.#frames.shift()
      if (frame !== undefined) {
        this.#queuedBytes -= frame.byteLength
        this.#resumeWhenLow()
        return frame
      }
      if (this.#fault !== undefined) throw this.#fault
      if (this.#stream.readableEnded) {
        if (this.#decoder.pendingBytes > 0) throw new HiveError('STREAM_CUT', { at: 'frame' })
        return undefined
      }
      await this.#change(signal)
    }
  }

  /** Reads and drops whatever still comes until the other end stops writing. Throws as `read` does. */
  async readToEnd(signal: AbortSignal): Promise<void> {
    while ((await this.read(signal)) !== undefined);
  }

  /** Sends a frame and waits until more would be taken. Throws STREAM_CUT or the signal's reason. */
  async write(frame: Uint8Array, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    try {
      this.#stream.send(Buffer.concat([encodeLength(frame.byteLength), frame]))
    } catch (cause) {
      throw new HiveError('STREAM_CUT', { at: 'write' }, { cause })
    }
    // the event, not stream.onDrain(): that promise is made once and stays resolved
    while (this.#stream.writableNeedsDrain) {
      if (this.#isClosed()) throw new HiveError('STREAM_CUT', { at: 'write' })
      await this.#change(signal)
    }
  }

  /** Tells the other end that nothing more will be written; reading goes on. */
  async closeWrite(signal: AbortSignal): Promise<void> {
    await this.#stream.close({ signal })
  }

  /** Ends both directions at once; harmless when already ended. */
  abort(reason: Error): void {
    this.#stream.abort(reason)
  }

  #receive(bytes: Uint8Array): void {
    if (this.#fault !== undefined) return
    try {
      for (const frame of this.#decoder.push(bytes)) {
        this.#frames.push(frame)
        this.#queuedBytes += frame.byteLength
      }
    } catch (error) {
      this.#fault = error instanceof HiveError ? error : new HiveError('INTERNAL')
    }
    this.#pauseWhenHigh()
    this.#notify()
  }

  #resumeWhenLow(): void {
    if (this.#queuedBytes > LOW_WATER_BYTES || this.#stream.readStatus !== 'paused') return
    // resume() hands over what waited and only then opens the window: a pause from inside it would
    // be undone, and the sender would run on until the read buffer bursts
    this.#resuming = true
    try {
      this.#stream.resume()
    } catch {
      // the connection went away in between; `end` and `close` tell the reader
    } finally {
      this.#resuming = false
    }
    this.#pauseWhenHigh()
  }

  #pauseWhenHigh(): void {
    const canPause = this.#stream.readStatus === 'readable' && !this.#resuming
    if (this.#queuedBytes > HIGH_WATER_BYTES && canPause) this.#stream.pause()
  }

  #isClosed(): boolean {
    return this.#stream.writeStatus === 'closed'
  }

  #notify(): void {
    this.#changed.resolve()
    this.#changed = Promise.withResolvers<void>()
  }

  async #change(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    const aborted = Promise.withResolvers<never>()
    const onAbort = (): void => aborted.reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      await Promise.race([this.#changed.promise, aborted.promise])
    } finally {
      signal.removeEventListener('abort', onAbort)
    }
  }
}
