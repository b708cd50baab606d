import { ByteWriter } from './byte-writer.ts'
import { EDIT, type Edits } from './edits.ts'
import { FLOATS, type Floats } from './float-ops.ts'
import { OP } from './instruction.ts'

/** Numbers of the globals that a rewritten module has beyond its own; `METER_EXPORTS` says what they hold. */
export type MeterGlobals = Readonly<Record<'fuel' | 'refused' | 'stack', number>>

/** What the writer must know of a function. */
export interface FunctionShape {
  readonly parameters: number
  /** Whether it keeps the fuel in a local between calls: a loop is then hardly slower. */
  readonly keepsFuel: boolean
  /** What a call of it adds to the stack, or 0 where that is not counted. */
  readonly frame: number
}

/** Most that the frames of the calls under way may take, slots of 8 bytes; a runner's thread has eight times that. */
export const MAX_STACK_SLOTS = 1_048_576
/** A unit of fuel moves 2 to the power of this many bytes. */
const BYTES_PER_UNIT_LOG2 = 4

const TYPES = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c, v128: 0x7b } as const
const NO_RESULT = 0x40
const I64_SUB = 0x7d
const I64_LT_S = 0x53
const I64_EXTEND_U = 0xad
const I32_ADD = 0x6a
const I32_SUB = 0x6b
const I32_EQ = 0x46
const I32_GT_U = 0x4b
const I32_SHR_U = 0x76
const SELECT = 0x1b
const MINUS_ONE = 0x7f
const F32_NAN = [0, 0, 0xc0, 0x7f]
const F64_NAN = [0, 0, 0, 0, 0, 0, 0xf8, 0x7f]
const VECTOR = 0xfd
const VECTOR_CONST = [VECTOR, 0x0c]
const BIT_SELECT = [VECTOR, 0x52]

/** How a float of each kind is made canonical: its local's type, the NaN, the comparison, the choice. */
const CANONICAL = {
  [FLOATS.f32]: [TYPES.f32, [OP.f32Const, ...F32_NAN], [0x5b], [SELECT]],
  [FLOATS.f64]: [TYPES.f64, [OP.f64Const, ...F64_NAN], [0x61], [SELECT]],
  [FLOATS.f32x4]: [
    TYPES.v128,
    [...VECTOR_CONST, ...F32_NAN, ...F32_NAN, ...F32_NAN, ...F32_NAN],
    [VECTOR, 0x41],
    BIT_SELECT,
  ],
  [FLOATS.f64x2]: [
    TYPES.v128,
    [...VECTOR_CONST, ...F64_NAN, ...F64_NAN],
    [VECTOR, 0x47],
    BIT_SELECT,
  ],
} as const

/** Where the parts of a body lie in the module. */
export interface BodyPlace {
  /** How many groups of locals it declares, and how many locals those are. */
  readonly groups: number
  readonly locals: number
  /** The groups themselves, and the code after them. */
  readonly groupsStart: number
  readonly codeStart: number
  readonly end: number
}

/** Writes function bodies with their edits. */
export class BodyWriter {
  readonly #bytes: Uint8Array
  readonly #globals: MeterGlobals
  readonly #head = new ByteWriter(1024)
  readonly #code = new ByteWriter(65_536)
  /** Types of the locals that the present function gets, and their numbers by what they are for. */
  readonly #types: number[] = []
  readonly #numbers = new Map<string, number>()
  #firstNumber = 0

  constructor(bytes: Uint8Array, globals: MeterGlobals) {
    this.#bytes = bytes
    this.#globals = globals
  }

  /** Writes one body, with its size, to `out`. */
  write(out: ByteWriter, place: BodyPlace, edits: Edits, shape: FunctionShape): void {
    const [head, code] = [this.#head, this.#code]
    head.clear()
    code.clear()
    this.#types.length = 0
    this.#numbers.clear()
    this.#firstNumber = shape.parameters + place.locals
    this.#begin(shape)
    let from = place.codeStart
    for (let n = 0; n < edits.at.length; n++) {
      const kind = edits.kind[n] ?? EDIT.none
      if (kind === EDIT.none) continue
      const at = edits.at[n] ?? from
      code.copy(this.#bytes, from, at)
      from = at
      this.#edit(kind, edits.amount[n] ?? 0, shape)
    }
    code.copy(this.#bytes, from, place.end)
    head.u32(place.groups + this.#types.length)
    head.copy(this.#bytes, place.groupsStart, place.codeStart)
    for (const type of this.#types) head.put([1, type])
    out.u32(head.length + code.length)
    out.copy(head.written, 0, head.length)
    out.copy(code.written, 0, code.length)
  }

  #edit(kind: number, amount: number, shape: FunctionShape): void {
    switch (kind) {
      case EDIT.charge:
      case EDIT.chargeAndCheck:
        if (amount === 0 && kind === EDIT.charge) return
        this.#getFuel(shape)
        this.#code.u8(OP.i64Const)
        this.#code.positive(amount)
        this.#code.u8(I64_SUB)
        this.#setFuel(shape, kind === EDIT.chargeAndCheck)
        return
      case EDIT.beforeCall:
        this.#publish(shape)
        if (shape.frame > 0) {
          this.#local(OP.localGet, 'stack', TYPES.i32)
          this.#global(OP.globalSet, this.#globals.stack)
        }
        return
      case EDIT.beforeTailCall:
        this.#publish(shape)
        if (shape.frame > 0) {
          this.#local(OP.localGet, 'stack', TYPES.i32)
          this.#int(shape.frame)
          this.#code.u8(I32_SUB)
          this.#global(OP.globalSet, this.#globals.stack)
        }
        return
      case EDIT.beforeEnd:
        this.#publish(shape)
        return
      case EDIT.afterCall:
        if (shape.keepsFuel) this.#fetch()
        return
      case EDIT.chargeBytes:
        this.#chargeCount(shape, BYTES_PER_UNIT_LOG2)
        return
      case EDIT.chargeElements:
        this.#chargeCount(shape, 0)
        return
      case EDIT.afterGrow:
        this.#noteRefusal()
        return
      default:
        this.#makeCanonical(kind - EDIT.canonical)
    }
  }

  // Every function adds its frame to its caller's, and says the sum before it calls on: nothing need
  // be undone at any of its ends.
  #begin(shape: FunctionShape): void {
    if (shape.keepsFuel) this.#fetch()
    if (shape.frame === 0) return
    const { stack } = this.#globals
    this.#global(OP.globalGet, stack)
    this.#int(shape.frame)
    this.#code.u8(I32_ADD)
    this.#local(OP.localTee, 'stack', TYPES.i32)
    this.#int(MAX_STACK_SLOTS)
    this.#code.put([I32_GT_U, OP.if, NO_RESULT, OP.i32Const, MINUS_ONE])
    this.#global(OP.globalSet, stack)
    this.#code.put([OP.unreachable, OP.end])
  }

  #fetch(): void {
    this.#global(OP.globalGet, this.#globals.fuel)
    this.#local(OP.localSet, 'fuel', TYPES.i64)
  }

  #publish(shape: FunctionShape): void {
    if (!shape.keepsFuel) return
    this.#local(OP.localGet, 'fuel', TYPES.i64)
    this.#global(OP.globalSet, this.#globals.fuel)
  }

  #getFuel(shape: FunctionShape): void {
    if (shape.keepsFuel) this.#local(OP.localGet, 'fuel', TYPES.i64)
    else this.#global(OP.globalGet, this.#globals.fuel)
  }

  #setFuel(shape: FunctionShape, check: boolean): void {
    const { fuel } = this.#globals
    if (!shape.keepsFuel && !check) {
      this.#global(OP.globalSet, fuel)
      return
    }
    this.#local(OP.localSet, 'fuel', TYPES.i64)
    if (!check) return
    // Published here too, so that a trap of the guest's own hides at most what came after.
    this.#local(OP.localGet, 'fuel', TYPES.i64)
    this.#global(OP.globalSet, fuel)
    this.#local(OP.localGet, 'fuel', TYPES.i64)
    this.#code.put([OP.i64Const, 0, I64_LT_S, OP.if, NO_RESULT, OP.unreachable, OP.end])
  }

  #chargeCount(shape: FunctionShape, log2: number): void {
    this.#local(OP.localSet, 'count', TYPES.i32)
    this.#getFuel(shape)
    this.#local(OP.localGet, 'count', TYPES.i32)
    this.#int(log2)
    this.#code.put([I32_SHR_U, I64_EXTEND_U, I64_SUB])
    this.#setFuel(shape, true)
    this.#local(OP.localGet, 'count', TYPES.i32)
  }

  #noteRefusal(): void {
    const { refused } = this.#globals
    this.#local(OP.localTee, 'count', TYPES.i32)
    this.#code.put([OP.i32Const, MINUS_ONE, I32_EQ])
    this.#global(OP.globalSet, refused)
    this.#local(OP.localGet, 'count', TYPES.i32)
  }

  #makeCanonical(floats: number): void {
    const [type, nan, equal, choose] = CANONICAL[floats as Floats]
    const value = (op: number) => {
      this.#local(op, `float ${type}`, type)
    }
    value(OP.localTee)
    this.#code.put(nan)
    value(OP.localGet)
    value(OP.localGet)
    this.#code.put(equal)
    this.#code.put(choose)
  }

  #int(value: number): void {
    this.#code.u8(OP.i32Const)
    this.#code.positive(value)
  }

  #global(op: number, index: number): void {
    this.#code.u8(op)
    this.#code.u32(index)
  }

  #local(op: number, use: string, type: number): void {
    let number = this.#numbers.get(use)
    if (number === undefined) {
      number = this.#firstNumber + this.#types.push(type) - 1
      this.#numbers.set(use, number)
    }
    this.#code.u8(op)
    this.#code.u32(number)
  }
}
