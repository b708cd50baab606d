import type { Duplex as ByteStream } from 'node:stream'
import { HiveError } from '../domain/errors.ts'
import type { Duplex } from '../ports/conversations.ts'
import { MAX_FRAME_BYTES } from '../protocol/limits.ts'
import { errorFrom } from './error-from.ts'
import { errorBody } from './error-reply.ts'

/** What an upgraded connection speaks, named in the `upgrade` header. */
export const FRAMES_PROTOCOL = 'computehive-frames'
/** A kind, and the length of what follows, big-endian. */
const HEAD_BYTES = 5
/** First byte of a frame. */
const KIND = { frame: 0, end: 1, error: 2 } as const

/** Frames over an upgraded HTTP connection, each direction with an end of its own. Disposal cuts it. */
export class FrameSocket implements Duplex, Disposable {
  readonly #socket: ByteStream
  readonly #chunks: AsyncIterator<Buffer>
  #rest = Buffer.alloc(0)
  #isOver = false
  #hasEnded = false

  constructor(socket: ByteStream, head: Uint8Array) {
    this.#socket = socket
    if (head.byteLength > 0) socket.unshift(head)
    // told to whoever reads; without a listener it would end this process
    socket.on('error', () => undefined)
    this.#chunks = socket.iterator({ destroyOnReturn: false }) as AsyncIterator<Buffer>
  }

  async read(): Promise<Uint8Array | undefined> {
    if (this.#isOver) return undefined
    const head = await this.#take(HEAD_BYTES)
    const bytes = head.readUInt32BE(1)
    if (bytes > MAX_FRAME_BYTES) throw new HiveError('MESSAGE_TOO_LARGE', { bytes })
    const body = await this.#take(bytes)
    if (head[0] === KIND.frame) return body
    if (head[0] === KIND.error) throw errorFrom(JSON.parse(body.toString()))
    this.#isOver = true
    return undefined
  }

  async write(frame: Uint8Array): Promise<void> {
    await this.#send(KIND.frame, frame)
  }

  async end(): Promise<void> {
    if (this.#hasEnded) return
    this.#hasEnded = true
    await this.#send(KIND.end, new Uint8Array())
    this.#socket.end()
  }

  /** Ends it with why. */
  async fail(error: unknown): Promise<void> {
    if (this.#hasEnded || !this.#socket.writable) return
    this.#hasEnded = true
    const known = error instanceof HiveError ? error : new HiveError('INTERNAL')
    await this.#send(KIND.error, Buffer.from(JSON.stringify(errorBody(known))))
    this.#socket.end()
  }

  [Symbol.dispose](): void {
    this.#socket.destroy()
  }

  async #take(count: number): Promise<Buffer> {
    while (this.#rest.length < count) {
      const next = await this.#chunks.next().catch((cause: unknown) => {
        throw new HiveError('STREAM_CUT', { at: 'api' }, { cause })
      })
      if (next.done === true) throw new HiveError('STREAM_CUT', { at: 'api' })
      this.#rest = Buffer.concat([this.#rest, next.value])
    }
    const taken = this.#rest.subarray(0, count)
    this.#rest = this.#rest.subarray(count)
    return taken
  }

  async #send(kind: number, body: Uint8Array): Promise<void> {
    const socket = this.#socket
    if (!socket.writable) throw new HiveError('STREAM_CUT', { at: 'api' })
    const head = Buffer.alloc(HEAD_BYTES)
    head[0] = kind
    head.writeUInt32BE(body.byteLength, 1)
    if (socket.write(Buffer.concat([head, body]))) return
    const { promise, resolve } = Promise.withResolvers<void>()
    socket.once('drain', resolve).once('close', resolve)
    await promise
    socket.off('drain', resolve).off('close', resolve)
  }
}
