import { invalidModule } from './byte-reader.ts'
import { OP } from './instruction.ts'
import type { Signature } from './signatures.ts'

/** One open block of a function, or the function itself. */
interface Frame {
  op: number
  /** Whether the code before it can be reached. */
  readonly live: boolean
  /** Operands below it. */
  readonly base: number
  readonly signature: Signature
  /** Whether a branch leads to its end. */
  targeted: boolean
}

/** Where in its blocks a valid function is, what it can reach and how many operands lie on its stack. */
export class ControlStack {
  readonly #frames: Frame[] = []
  /** Whether the present instruction can be reached. */
  live = true
  /** Operands on the stack; means nothing where nothing can be reached. */
  height = 0

  /** Starts with a function of this signature. */
  start(signature: Signature): void {
    this.#frames.length = 0
    this.live = true
    this.height = 0
    this.#frames.push({ op: OP.block, live: true, base: 0, signature, targeted: false })
  }

  /** Whether the function has ended. */
  get ended(): boolean {
    return this.#frames.length === 0
  }

  /** Whether a branch to `label` ends the function. */
  leaves(label: number): boolean {
    return label === this.#frames.length - 1
  }

  enter(op: number, signature: Signature): void {
    const base = this.height - signature.parameters
    this.#frames.push({ op, live: this.live, base, signature, targeted: false })
  }

  /** At an `else`. */
  turn(): void {
    this.#again(this.#top().signature.parameters)
  }

  /** At a `catch` of an exception with so many values. */
  caught(values: number): void {
    this.#again(values)
  }

  /** At an `end`; answers whether paths join there. */
  leave(): boolean {
    const { op, live, base, signature, targeted } = this.#top()
    this.#frames.pop()
    const joins = targeted || op === OP.if
    if (joins) this.live = live
    this.height = base + signature.results
    return joins
  }

  target(label: number): void {
    const frame = this.#frames[this.#frames.length - 1 - label]
    if (frame === undefined) throw invalidModule('a branch leads nowhere')
    // A branch to a loop leads to its start.
    if (frame.op !== OP.loop) frame.targeted = true
  }

  /** What follows cannot be reached. */
  die(): void {
    this.live = false
  }

  // Another part of the same block, that begins with so many operands.
  #again(operands: number): void {
    const frame = this.#top()
    this.live = frame.live
    this.height = frame.base + operands
    frame.op = OP.else
    frame.targeted = true
  }

  #top(): Frame {
    const frame = this.#frames.at(-1)
    if (frame === undefined) throw invalidModule('a function goes on after its end')
    return frame
  }
}
