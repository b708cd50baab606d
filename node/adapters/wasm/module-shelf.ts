/** One module that the runner holds. */
interface Held {
  readonly imageId: string
  readonly bytes: number
  users: number
}

/** Which compiled modules the runner holds, least recently used first; those in use stay. */
export class ModuleShelf {
  readonly #capacity: number
  readonly #held = new Map<string, Held>()
  #bytes = 0

  constructor(capacityBytes: number) {
    this.#capacity = capacityBytes
  }

  holdsImage(imageId: string): boolean {
    return [...this.#held.values()].some((held) => held.imageId === imageId)
  }

  /** Takes a module into use; false when it is not held. Each success needs its `release`. */
  acquire(key: string): boolean {
    const held = this.#held.get(key)
    if (held === undefined) return false
    this.#held.delete(key)
    this.#held.set(key, held)
    held.users += 1
    return true
  }

  release(key: string): void {
    const held = this.#held.get(key)
    if (held !== undefined) held.users -= 1
  }

  /** Adds a module and answers the keys to drop for it. */
  put(key: string, imageId: string, bytes: number): readonly string[] {
    this.#held.set(key, { imageId, bytes, users: 0 })
    this.#bytes += bytes
    const dropped: string[] = []
    for (const [old, held] of this.#held) {
      if (this.#bytes <= this.#capacity) break
      if (held.users > 0 || old === key) continue
      this.#held.delete(old)
      this.#bytes -= held.bytes
      dropped.push(old)
    }
    return dropped
  }
}
