/** Gives back what was put in, the first by `before` first: a binary heap. */
export class OrderedQueue<T> {
  readonly #before: (a: T, b: T) => boolean
  readonly #heap: T[] = []

  constructor(before: (a: T, b: T) => boolean) {
    this.#before = before
  }

  push(item: T): void {
    const heap = this.#heap
    let at = heap.length
    while (at > 0) {
      const up = (at - 1) >> 1
      const parent = heap[up] as T
      if (!this.#before(item, parent)) break
      heap[at] = parent
      at = up
    }
    heap[at] = item
  }

  pop(): T | undefined {
    const heap = this.#heap
    const first = heap[0]
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return first
    let at = 0
    while (true) {
      let down = 2 * at + 1
      if (down >= heap.length) break
      if (down + 1 < heap.length && this.#before(heap[down + 1] as T, heap[down] as T)) down += 1
      if (!this.#before(heap[down] as T, last)) break
      heap[at] = heap[down] as T
      at = down
    }
    heap[at] = last
    return first
  }
}
