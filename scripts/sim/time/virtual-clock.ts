import type { Clock } from '../../../node/ports/clock.ts'
import { EventHeap, type TimedEvent } from './event-heap.ts'

/** When every simulation begins, Unix ms. */
const BEGINNING_MS = 1_800_000_000_000

/**
 * Time that passes only from one event to the next. Whatever an event sets going runs until it waits for another
 * event, and then the next one happens: nothing in a simulation depends on how fast the machine is. It holds for code
 * that waits only for this clock and for promises; real I/O and real timers would end a moment too early.
 */
export class VirtualClock implements Clock {
  readonly #heap = new EventHeap()
  #now = BEGINNING_MS
  #events = 0
  #order = 0

  now(): number {
    return this.#now
  }

  /** Ms since the beginning. */
  get elapsed(): number {
    return this.#now - BEGINNING_MS
  }

  /** Events that have happened. */
  get happened(): number {
    return this.#events
  }

  /** Calls `fire` after `ms`, rounded up to a whole number. Returns what calls it off. */
  after(ms: number, fire: () => void): TimedEvent {
    const at = this.#now + Math.max(0, Math.ceil(ms))
    const event = { at, order: this.#order++, fire }
    this.#heap.push(event)
    return event
  }

  async sleep(ms: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const event: TimedEvent = this.after(ms, () => {
      signal.removeEventListener('abort', onAbort)
      resolve()
    })
    const onAbort = (): void => {
      event.fire = undefined
      reject(signal.reason as Error)
    }
    signal.addEventListener('abort', onAbort, { once: true })
    return promise
  }

  /** Resolves after `ms`. */
  async pass(ms: number): Promise<void> {
    return new Promise((resolve) => this.after(ms, resolve))
  }

  /** Lets time pass until `isOver`, or until nothing more is to happen, or until `upTo`, Unix ms. */
  async run(isOver: () => boolean, upTo = Infinity): Promise<void> {
    for (;;) {
      // all promises that can go on do so before the next turn of the loop
      await new Promise<void>((resolve) => {
        setImmediate(resolve)
      })
      const next = this.#heap.next
      if (isOver() || next === undefined || next.at > upTo) return
      this.#now = next.at
      while (this.#heap.next?.at === next.at) {
        const { fire } = this.#heap.pop() ?? next
        if (fire === undefined) continue
        this.#events++
        fire()
      }
    }
  }
}
