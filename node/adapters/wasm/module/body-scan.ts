import { invalidModule, type ByteReader } from './byte-reader.ts'
import { ControlStack } from './control-stack.ts'
import { EDIT, Edits } from './edits.ts'
import { absorbsFloats, floatsMadeBy } from './float-ops.ts'
import { InstructionReader, OP, SIMD_BASE } from './instruction.ts'
import type { Signature, Signatures } from './signatures.ts'
import { stackEffect } from './stack-effect.ts'

/** Reads function bodies of a valid module, one after another, and says what must be put into each. */
export class BodyScan {
  readonly edits: Edits = new Edits()
  /** Whether the function has loops. */
  loops = false
  /** Whether it calls anything. */
  calls = false
  /** Whether it catches exceptions. */
  catches = false
  /** Most operands on its stack at once, in slots of 8 bytes. */
  height = 0
  readonly #signatures: Signatures
  readonly #deterministic: boolean
  readonly #control = new ControlStack()
  /** The charge of the present segment: the straight run of instructions since paths last forked or joined. */
  #charge = 0
  #cost = 0
  #vectors = false
  /** Floats on the stack whose canonicalisation may turn out to be needless: their slots and their edits. */
  readonly #slots: number[] = []
  readonly #canonical: number[] = []

  constructor(signatures: Signatures, deterministic: boolean) {
    this.#signatures = signatures
    this.#deterministic = deterministic
  }

  /** Scans the expression that `reader` has left. */
  scan(reader: ByteReader, signature: Signature): void {
    this.edits.clear()
    this.#forgetFloats()
    this.loops = this.calls = this.catches = this.#vectors = false
    this.height = this.#cost = 0
    this.#control.start(signature)
    this.#charge = this.edits.add(reader.position, EDIT.charge)
    const instruction = new InstructionReader(reader, !this.#deterministic)
    while (!instruction.done) {
      if (this.#control.ended) throw invalidModule('a function goes on after its end')
      instruction.next()
      this.#take(instruction)
      if (this.#control.height > this.height) this.height = this.#control.height
    }
    if (!this.#control.ended) throw invalidModule('a function has no end')
    // One without loops and calls is bounded by whoever calls it.
    if (this.calls || this.loops) this.edits.kind[0] = EDIT.chargeAndCheck
    if (this.#vectors) this.height *= 2
  }

  #take(instruction: InstructionReader): void {
    const { op, start, end, index } = instruction
    const control = this.#control
    switch (op) {
      case OP.nop:
        return
      case OP.tryTable:
        for (const label of instruction.labels) control.target(label)
        this.catches = true
        control.enter(op, this.#signatures.ofBlock(instruction.blockType))
        return
      case OP.try:
        this.catches = true
        control.enter(op, this.#signatures.ofBlock(instruction.blockType))
        return
      case OP.catch:
      case OP.catchAll:
        control.caught(op === OP.catch ? this.#signatures.ofTag(index).parameters : 0)
        this.#newSegment(end, EDIT.charge)
        return
      case OP.block:
        control.enter(op, this.#signatures.ofBlock(instruction.blockType))
        return
      case OP.loop:
        this.loops = true
        this.#forgetFloats()
        control.enter(op, this.#signatures.ofBlock(instruction.blockType))
        this.#newSegment(end, EDIT.chargeAndCheck)
        return
      case OP.if:
        if (control.live) this.#cost += 1
        control.height -= 1
        control.enter(op, this.#signatures.ofBlock(instruction.blockType))
        this.#newSegment(end, EDIT.charge)
        return
      case OP.else:
        control.turn()
        this.#newSegment(end, EDIT.charge)
        return
      case OP.delegate:
      case OP.end: {
        // Where branches lead to the end of the function, each has already left by itself.
        if (control.live && control.leaves(0)) this.edits.add(start, EDIT.beforeEnd)
        if (control.leave() || control.ended) this.#newSegment(end, EDIT.charge)
        return
      }
      default:
        if (control.live) this.#reachable(instruction)
    }
  }

  #reachable(instruction: InstructionReader): void {
    const { op, start, end, index } = instruction
    const control = this.#control
    this.#cost += 1
    switch (op) {
      case OP.unreachable:
      case OP.return:
      case OP.throw:
      case OP.rethrow:
      case OP.throwRef:
        this.edits.add(start, EDIT.beforeEnd)
        this.#die()
        return
      case OP.br:
        this.#branch(index, start)
        this.#die()
        return
      case OP.brIf:
        control.height -= 1
        this.#branch(index, start)
        this.#newSegment(end, EDIT.charge)
        return
      case OP.brTable:
        for (const label of instruction.labels) control.target(label)
        if (instruction.labels.some((label) => control.leaves(label)))
          this.edits.add(start, EDIT.beforeEnd)
        this.#die()
        return
      case OP.call:
        this.#call(instruction, this.#signatures.ofFunction(index))
        return
      case OP.callIndirect:
        control.height -= 1
        this.#call(instruction, this.#signatures.ofType(index))
        return
      case OP.returnCall:
      case OP.returnCallIndirect:
        this.calls = true
        this.edits.add(start, EDIT.beforeTailCall)
        this.#die()
        return
      case OP.memoryInit:
      case OP.memoryCopy:
      case OP.memoryFill:
        this.edits.add(start, EDIT.chargeBytes)
        break
      case OP.tableInit:
      case OP.tableCopy:
      case OP.tableFill:
        this.edits.add(start, EDIT.chargeElements)
        break
      case OP.memoryGrow:
        this.edits.add(end, EDIT.afterGrow)
    }
    const effect = stackEffect(op)
    if (this.#deterministic) this.#floats(op, effect, end)
    control.height += effect
  }

  #call({ start, end }: InstructionReader, { parameters, results }: Signature): void {
    this.calls = true
    this.#forgetFloats()
    this.edits.add(start, EDIT.beforeCall)
    this.#control.height += results - parameters
    this.edits.add(end, EDIT.afterCall)
  }

  #branch(label: number, at: number): void {
    this.#control.target(label)
    if (this.#control.leaves(label)) this.edits.add(at, EDIT.beforeEnd)
  }

  #die(): void {
    this.#control.die()
    this.#closeSegment()
  }

  #newSegment(at: number, kind: number): void {
    this.#closeSegment()
    if (this.#control.live && !this.#control.ended) this.#charge = this.edits.add(at, kind)
  }

  #closeSegment(): void {
    this.edits.amount[this.#charge] = (this.edits.amount[this.#charge] ?? 0) + this.#cost
    this.#cost = 0
    this.#forgetFloats()
  }

  // A NaN that an operation makes goes through the next operation as a NaN. So what is only ever
  // taken by such operations needs no canonical bits, and that is known when it is taken.
  #floats(op: number, effect: number, end: number): void {
    const { height } = this.#control
    const vector = op >= SIMD_BASE
    if (vector) {
      this.#vectors = true
      this.#forgetFloats()
    }
    const first = height - (pushes(op) - effect)
    const absorbs = absorbsFloats(op)
    while (this.#slots.length > 0 && (this.#slots.at(-1) ?? 0) >= first) {
      this.#slots.pop()
      const edit = this.#canonical.pop() ?? 0
      if (absorbs) this.edits.kind[edit] = EDIT.none
    }
    const made = floatsMadeBy(op)
    if (made === 0) return
    const edit = this.edits.add(end, EDIT.canonical + made)
    if (vector) return
    this.#slots.push(height + effect - 1)
    this.#canonical.push(edit)
  }

  #forgetFloats(): void {
    this.#slots.length = this.#canonical.length = 0
  }
}

/** How many operands a plain instruction leaves; of those that leave none, only where a float may be taken. */
function pushes(op: number): number {
  const sinks = op === OP.localSet || op === OP.globalSet || op === OP.drop
  return sinks || (op >= OP.firstStore && op <= OP.lastStore) ? 0 : 1
}
