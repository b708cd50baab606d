/** Numbers that look random and follow from a seed. Source: xoshiro128**, seeded by splitmix32. */
export class Randomness {
  readonly #state: Uint32Array<ArrayBuffer>

  /** `name` tells apart the streams of one seed, so that one more draw of one changes no other. */
  constructor(seed: number, name: string) {
    let at = seed >>> 0
    for (const char of name) at = Math.imul(at ^ (char.codePointAt(0) ?? 0), 0x01000193) >>> 0
    this.#state = Uint32Array.from({ length: 4 }, () => {
      at = (at + 0x9e3779b9) >>> 0
      let mixed = Math.imul(at ^ (at >>> 16), 0x21f0aaad)
      mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97)
      return (mixed ^ (mixed >>> 15)) >>> 0
    })
  }

  /** 32 bits. */
  word(): number {
    const state = this.#state
    const [a = 0, b = 0, c = 0, d = 0] = state
    const scrambled = Math.imul(rotated(Math.imul(b, 5), 7), 9) >>> 0
    state[2] = c ^ a
    state[3] = d ^ b
    state[1] = b ^ (state[2] ?? 0)
    state[0] = a ^ (state[3] ?? 0)
    state[2] = (state[2] ?? 0) ^ (b << 9)
    state[3] = rotated(state[3] ?? 0, 11)
    return scrambled
  }

  /** From 0 up to but without 1. */
  fraction(): number {
    return this.word() / 2 ** 32
  }

  between(least: number, most: number): number {
    return least + this.fraction() * (most - least)
  }

  /** A whole number from 0 to `limit` - 1. */
  below(limit: number): number {
    return Math.floor(this.fraction() * limit)
  }

  /** Time until the next of events that happen by chance every `mean` on average. */
  wait(mean: number): number {
    return -Math.log(1 - this.fraction()) * mean
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)] as T
  }

  /** The same things in another order. */
  shuffled<T>(things: readonly T[]): T[] {
    const shuffled = [...things]
    for (let at = shuffled.length - 1; at > 0; at--) {
      const other = this.below(at + 1)
      const [a, b] = [shuffled[at] as T, shuffled[other] as T]
      shuffled[at] = b
      shuffled[other] = a
    }
    return shuffled
  }
}

/**
 * Until disposed, the platform's secure source gives numbers that follow from the seed: nonces and salts of the node's
 * own code are then the same in every run. Only for a process in which no key guards anything.
 */
export function seededSource(seed: number): Disposable {
  const random = new Randomness(seed, 'source')
  const { crypto } = globalThis
  const before = Object.getOwnPropertyDescriptor(crypto, 'getRandomValues')
  const getRandomValues = <T extends ArrayBufferView>(array: T): T => {
    const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
    for (let at = 0; at < bytes.length; at++) bytes[at] = random.word() >>> 24
    return array
  }
  Object.defineProperty(crypto, 'getRandomValues', { configurable: true, value: getRandomValues })
  return {
    [Symbol.dispose]: () => {
      if (before === undefined) Reflect.deleteProperty(crypto, 'getRandomValues')
      else Object.defineProperty(crypto, 'getRandomValues', before)
    },
  }
}

function rotated(word: number, by: number): number {
  return (word << by) | (word >>> (32 - by))
}
