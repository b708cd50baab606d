import type { Clock } from '../../ports/clock.ts'
import { second } from '../../domain/units.ts'
import { ZERO_BYTES32, type Bytes32 } from '../../domain/ids.ts'
import { chained } from '../../protocol/output-chain.ts'
import { PrintedOutput } from './printed-output.ts'
import { isLastEvent, MAX_LOG_BYTES, type ShareEvent } from '../../protocol/share-events.ts'

/** How often a follower hears that the provider is alive when nothing happens, ms. */
export const BEAT_MS: number = 2 * second
/** Most log bytes kept for followers that come back; what a share prints beyond is only in its results. */
const MAX_KEPT_LOG_BYTES = 16 * 1024 * 1024

/** The events of one share, in memory, for any number of followers to read from any number on. */
export class ShareLog {
  /** What its tasks have printed, sent or not; looking at it is not following. */
  readonly output = new PrintedOutput()
  readonly #life: number
  readonly #followed = Promise.withResolvers<void>()
  readonly #events: ShareEvent[] = []
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

  /** Hash chain over the output that was sent so far, as heartbeats tell it. */
  get digest(): Bytes32 {
    return this.#digest
  }

  get closed(): boolean {
    const last = this.#events.at(-1)
    return last !== undefined && isLastEvent(last)
  }

  add(event: ShareEvent): void {
    if (this.closed) return
    this.#events.push(event)
    if (isLastEvent(event)) this.output.close()
    const wake = this.#wake
    this.#changed = new Promise<void>((resolve) => (this.#wake = resolve))
    wake()
  }

  /** Output of a task that is sent, in pieces that fit a frame, up to a total. */
  addOutput(index: number, stream: number, bytes: Uint8Array): void {
    for (
      let at = 0;
      at < bytes.byteLength && this.#logBytes < MAX_KEPT_LOG_BYTES;
      at += MAX_LOG_BYTES
    ) {
      const piece = bytes.slice(at, at + MAX_LOG_BYTES)
      this.#logBytes += piece.byteLength
      if (!this.closed) this.#digest = chained(this.#digest, piece)
      this.add({ type: 'log', index, stream, bytes: piece })
    }
  }

  /**
   * Events from number `from` on, with beats between them, until the last one; all there are for a reader that counted
   * in another life.
   */
  async *read(
    from: number,
    clock: Clock,
    signal: AbortSignal,
    life = 0,
  ): AsyncIterable<ShareEvent> {
    this.#followed.resolve()
    if (life !== this.#life) yield { type: 'restarted', life: this.#life }
    let at = life === this.#life ? from : 0
    while (!signal.aborted) {
      const changed = this.#changed
      const event = this.#events[at]
      if (event === undefined) {
        if (this.closed) return yield* this.#lastAgain()
        if (await this.#quiet(changed, clock, signal)) yield { type: 'beat' }
        continue
      }
      at++
      yield event
      if (isLastEvent(event)) return
    }
  }

  /** For a follower that counted more events than are left after a restart: it lacks only the last. */
  *#lastAgain(): Iterable<ShareEvent> {
    const last = this.#events.at(-1)
    if (last !== undefined) yield last
  }

  /** True when a beat is due, false when something changed before. */
  async #quiet(changed: Promise<void>, clock: Clock, signal: AbortSignal): Promise<boolean> {
    const done = new AbortController()
    const timer = clock.sleep(BEAT_MS, AbortSignal.any([signal, done.signal])).then(
      () => true,
      () => false, // the follower left or something happened: no beat
    )
    const quiet = await Promise.race([changed.then(() => false), timer])
    done.abort()
    return quiet
  }
}
