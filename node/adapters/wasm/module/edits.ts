/** What is put into a function body, always between two instructions. */
export const EDIT = {
  none: 0,
  /** Takes the cost of the instructions up to the next place where the path may fork or join. */
  charge: 1,
  /** The same at a place that every endless path comes by: ends the guest when nothing is left. */
  chargeAndCheck: 2,
  /** Before a call: what the function keeps to itself becomes known to others. */
  beforeCall: 3,
  afterCall: 4,
  /** Before a call that ends this function. */
  beforeTailCall: 5,
  /** Before any other end of the function. */
  beforeEnd: 6,
  /** Before an instruction that takes as long as the number on top of the stack is large: bytes, or elements. */
  chargeBytes: 7,
  chargeElements: 8,
  /** After a growth of the memory. */
  afterGrow: 9,
  /** After an operation on floats: `canonical` plus what they are. */
  canonical: 16,
} as const

/** The edits of one function, in order; reused, for a module has many functions. */
export class Edits {
  readonly at: number[] = []
  readonly kind: number[] = []
  readonly amount: number[] = []

  clear(): void {
    this.at.length = this.kind.length = this.amount.length = 0
  }

  /** Answers the number of the edit, for later changes. */
  add(at: number, kind: number): number {
    this.kind.push(kind)
    this.amount.push(0)
    return this.at.push(at) - 1
  }
}
