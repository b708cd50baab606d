/** Something that is to happen. */
export interface TimedEvent {
  /** Unix ms. */
  readonly at: number
  /** Orders events of one moment: first come, first served. */
  readonly order: number
  /** Left out once it was called off. */
  fire: (() => void) | undefined
}

/** The events to come, the next one on top. A binary heap. */
export class EventHeap {
  readonly #events: TimedEvent[] = []

  get size(): number {
    return this.#events.length
  }

  get next(): TimedEvent | undefined {
    return this.#events[0]
  }

  push(event: TimedEvent): void {
    const events = this.#events
    let at = events.push(event) - 1
    while (at > 0) {
      const above = (at - 1) >> 1
      const parent = events[above]
      if (parent === undefined || isBefore(parent, event)) break
      events[at] = parent
      at = above
    }
    events[at] = event
  }

  pop(): TimedEvent | undefined {
    const [first] = this.#events
    const last = this.#events.pop()
    if (last !== undefined && last !== first) this.#sink(last)
    return first
  }

  /** Finds the place of an event that was taken from the end, from the top down. */
  #sink(event: TimedEvent): void {
    const events = this.#events
    let at = 0
    for (;;) {
      const left = 2 * at + 1
      const [a, b] = [events[left], events[left + 1]]
      if (a === undefined) break
      const isRight = b !== undefined && isBefore(b, a)
      const least = isRight ? b : a
      if (isBefore(event, least)) break
      events[at] = least
      at = isRight ? left + 1 : left
    }
    events[at] = event
  }
}

function isBefore(a: TimedEvent, b: TimedEvent): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order)
}
