import type { Clock } from '../../ports/clock.ts'
import { GrowingBytes } from '../../domain/growing-bytes.ts'
import { ZERO_BYTES32, type Bytes32 } from '../../domain/ids.ts'
import { MiB, second } from '../../domain/units.ts'
import { chained } from '../../protocol/output-chain.ts'
import { PrintedOutput } from './printed-output.ts'
import { isLastEvent, MAX_LOG_BYTES, type ShareEvent } from '../../protocol/share-events.ts'

/** How often a follower hears that the provider is alive when nothing happens, ms. */
export const BEAT_MS: number = 2 * second
/** Most log bytes kept for followers that come back; what a share prints beyond is only in its results. */
const MAX_KEPT_LOG_BYTES: number = 16 * MiB
/** Least that a piece of output counts for, bytes: about what an event takes in memory beside its output. */
const PIECE_BYTES = 256
/** How long after one piece of output a follower gets the next, ms: what is printed meanwhile is one piece. */
const JOIN_MS = 50

/** Output that the next of the same stream still joins; not an event yet. */
interface OpenPiece {
  readonly index: number
  readonly stream: number
  readonly output: GrowingBytes
}

/** How a follower reads. */
interface Reading {
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly sign: ((digest: Bytes32) => Uint8Array) | undefined
}

/** The events of one share, in memory, for any number of followers to read from any number on. */
export class ShareLog {
  /** What its tasks have printed, sent or not; looking at it is not following. */
  readonly output = new PrintedOutput()
  readonly #life: number
  readonly #followed = Promise.withResolvers<void>()
  readonly #events: ShareEvent[] = []
  #open: OpenPiece | undefined
  #readers = 0
  #unreadSince = 0
  #logBytes = 0
  #digest: Bytes32 = ZERO_BYTES32
  #wake: () => void = () => {}
  #changed = new Promise<void>((resolve) => (this.#wake = resolve))

  /** `life` numbers the lives of this node in which it works on the share, from 0. */
  constructor(life = 0) {
    this.#life = life
  }

  /** Resolves once somebody reads. */
  get followed(): Promise<void> {
    return this.#followed.promise
  }

  /** Since when nobody reads, Unix ms: 0 where nobody has yet; `undefined` while somebody does. */
  get unreadSince(): number | undefined {
    return this.#readers > 0 ? undefined : this.#unreadSince
  }

  /** Hash chain over the output that was sent so far, as heartbeats tell it. */
  get digest(): Bytes32 {
    this.#seal()
    return this.#digest
  }

  get closed(): boolean {
    const last = this.#events.at(-1)
    return last !== undefined && isLastEvent(last)
  }

  add(event: ShareEvent): void {
    this.#seal()
    if (this.closed) return
    this.#events.push(event)
    if (isLastEvent(event)) this.output.close()
    this.#tell()
  }

  /** Output of a task that is sent, in pieces that fit a frame, up to a total. Neighbours are one piece until somebody is told. */
  addOutput(index: number, stream: number, bytes: Uint8Array): void {
    if (this.closed) return
    for (let at = 0; at < bytes.byteLength && this.#logBytes < MAX_KEPT_LOG_BYTES;) {
      const { output } = this.#openFor(index, stream)
      const before = output.length
      const piece = bytes.subarray(at, at + MAX_LOG_BYTES - before)
      output.append(piece)
      this.#logBytes += costOf(output.length) - costOf(before)
      at += piece.byteLength
    }
  }

  /**
   * Events from number `from` on, with beats between them, until the last one; all there are for a reader that counted
   * in another life. `sign` seals what a beat says, given the digest of all events before it.
   */
  async *read(
    from: number,
    clock: Clock,
    signal: AbortSignal,
    life = 0,
    sign?: (digest: Bytes32) => Uint8Array,
  ): AsyncIterable<ShareEvent> {
    this.#followed.resolve()
    this.#readers++
    try {
      yield* this.#eventsFrom(from, { clock, signal, sign }, life)
    } finally {
      this.#readers--
      this.#unreadSince = clock.now()
    }
  }

  async *#eventsFrom(
    from: number,
    { clock, signal, sign }: Reading,
    life: number,
  ): AsyncIterable<ShareEvent> {
    if (life !== this.#life) yield { type: 'restarted', life: this.#life }
    let at = life === this.#life ? from : 0
    let joinedAt = -Infinity
    while (!signal.aborted) {
      const changed = this.#changed
      const event = this.#events[at]
      if (event === undefined) {
        if (this.closed) return yield* this.#lastAgain()
        if (this.#open !== undefined) {
          const joinMs = joinedAt + JOIN_MS - clock.now()
          if (joinMs <= 0 || (await this.#quiet(joinMs, changed, clock, signal))) this.#seal()
          continue
        }
        const isDue = await this.#quiet(BEAT_MS, changed, clock, signal)
        // what came in this very moment is told first
        if (!isDue || this.#open !== undefined || this.#events.length > at) continue
        yield { type: 'beat', ...(sign && { heartbeat: sign(this.#digest) }) }
        continue
      }
      at++
      if (event.type === 'log') joinedAt = clock.now()
      yield event
      if (isLastEvent(event)) return
    }
  }

  /** For a follower that counted more events than are left after a restart: it lacks only the last. */
  *#lastAgain(): Iterable<ShareEvent> {
    const last = this.#events.at(-1)
    if (last !== undefined) yield last
  }

  /** True when so much time has passed, false when something changed before. */
  async #quiet(
    ms: number,
    changed: Promise<void>,
    clock: Clock,
    signal: AbortSignal,
  ): Promise<boolean> {
    const done = new AbortController()
    const timer = clock.sleep(ms, AbortSignal.any([signal, done.signal])).then(
      () => true,
      () => false, // the follower left or something happened: no beat
    )
    const quiet = await Promise.race([changed.then(() => false), timer])
    done.abort()
    return quiet
  }

  /** The piece that output of this stream joins. */
  #openFor(index: number, stream: number): OpenPiece {
    const open = this.#open
    const isSame = open?.index === index && open.stream === stream
    if (open !== undefined && isSame && open.output.length < MAX_LOG_BYTES) return open
    this.#seal()
    const begun = { index, stream, output: new GrowingBytes() }
    this.#open = begun
    this.#tell()
    return begun
  }

  /** Makes an event of what is open. */
  #seal(): void {
    if (this.#open === undefined) return
    const { index, stream, output } = this.#open
    this.#open = undefined
    const bytes = output.bytes.slice()
    this.#digest = chained(this.#digest, bytes)
    this.#events.push({ type: 'log', index, stream, bytes })
    this.#tell()
  }

  #tell(): void {
    const wake = this.#wake
    this.#changed = new Promise<void>((resolve) => (this.#wake = resolve))
    wake()
  }
}

/** What a piece of output counts for, bytes. */
function costOf(length: number): number {
  return length === 0 ? 0 : Math.max(PIECE_BYTES, length)
}
