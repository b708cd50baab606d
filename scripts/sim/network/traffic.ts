/** Messages and bytes of one protocol or topic. */
export interface Count {
  messages: number
  bytes: number
}

/** What travelled, by the name of its protocol or topic. */
export class Traffic {
  readonly counts = new Map<string, Count>()

  /** `copies` messages of so many bytes each. */
  add(name: string, bytes: number, copies = 1): void {
    const count = this.counts.get(name)
    if (count === undefined) this.counts.set(name, { messages: copies, bytes: bytes * copies })
    else {
      count.messages += copies
      count.bytes += bytes * copies
    }
  }

  /** All whose name begins so. */
  sum(start: string): Count {
    const sum = { messages: 0, bytes: 0 }
    for (const [name, { messages, bytes }] of this.counts) {
      if (!name.startsWith(start)) continue
      sum.messages += messages
      sum.bytes += bytes
    }
    return sum
  }
}
