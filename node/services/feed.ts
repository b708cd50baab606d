/**
 * One-to-many events in process. Each reader gets what is published after it asked; a reader that
 * falls `capacity` events behind loses the oldest, so that it can never hold up the writer.
 */
export class Feed<T> {
  readonly #readers = new Set<{ queue: T[]; wake: () => void }>()
  readonly #capacity: number

  constructor(capacity = 10_000) {
    this.#capacity = capacity
  }

  publish(event: T): void {
    for (const reader of this.#readers) {
      reader.queue.push(event)
      if (reader.queue.length > this.#capacity) reader.queue.shift()
      reader.wake()
    }
  }

  /** Starts listening now; the events come when iterated, until the signal aborts. */
  subscribe(signal: AbortSignal): AsyncIterable<T> {
    const reader = { queue: [] as T[], wake: () => {} }
    this.#readers.add(reader)
    const readers = this.#readers
    const leave = () => {
      readers.delete(reader)
      reader.wake()
    }
    signal.addEventListener('abort', leave, { once: true })
    if (signal.aborted) leave()
    return (async function* () {
      try {
        while (!signal.aborted) {
          const next = reader.queue.shift()
          if (next !== undefined) yield next
          else await new Promise<void>((resolve) => (reader.wake = resolve))
        }
      } finally {
        readers.delete(reader)
        signal.removeEventListener('abort', leave)
      }
    })()
  }
}
