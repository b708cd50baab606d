import { invalidModule, type ByteReader } from './byte-reader.ts'

/** Opcodes that something is done about; those behind a prefix count from the prefix's number on. */
export const OP = {
  unreachable: 0x00,
  nop: 0x01,
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  try: 0x06,
  catch: 0x07,
  throw: 0x08,
  rethrow: 0x09,
  throwRef: 0x0a,
  end: 0x0b,
  br: 0x0c,
  brIf: 0x0d,
  brTable: 0x0e,
  return: 0x0f,
  call: 0x10,
  callIndirect: 0x11,
  returnCall: 0x12,
  returnCallIndirect: 0x13,
  delegate: 0x18,
  catchAll: 0x19,
  drop: 0x1a,
  tryTable: 0x1f,
  localGet: 0x20,
  localSet: 0x21,
  localTee: 0x22,
  globalGet: 0x23,
  globalSet: 0x24,
  firstStore: 0x36,
  lastStore: 0x3e,
  memoryGrow: 0x40,
  i32Const: 0x41,
  i64Const: 0x42,
  f32Const: 0x43,
  f64Const: 0x44,
  memoryInit: 0xfc08,
  memoryCopy: 0xfc0a,
  memoryFill: 0xfc0b,
  tableInit: 0xfc0c,
  tableCopy: 0xfc0e,
  tableFill: 0xfc11,
} as const

/** Prefixes of two-part opcodes. */
const MISC = 0xfc
const SIMD = 0xfd
/** Number of an opcode behind the SIMD prefix; there are more than fit below the next prefix. */
export const SIMD_BASE = 0xfd000
/** First of the relaxed instructions behind the SIMD prefix. */
const RELAXED = 0x100
const LAST_RELAXED = 0x113

/** What follows an opcode. */
const NOTHING = 0
const INDEX = 1
const TWO_INDEXES = 2
const MEMORY_ARGUMENT = 3
const LANE = 4
const MEMORY_AND_LANE = 5
const BLOCK_TYPE = 6
const BYTES_4 = 7
const BYTES_8 = 8
const BYTES_16 = 9
const BRANCH_TABLE = 10
const TYPES = 11
const BYTE = 12
const SIGNED = 13
const CATCHES = 14
const UNKNOWN = 255

/** What each proposal that is not followed calls itself, by the opcodes it brought. */
const PROPOSALS: readonly (readonly [first: number, last: number, name: string])[] = [
  [0x14, 0x15, 'typed function references'],
  [0xd3, 0xd6, 'garbage collection'],
  [0xe0, 0xe6, 'stack switching'],
  [0xfb, 0xfb, 'garbage collection'],
  [0xfe, 0xfe, 'threads'],
]

const PLAIN = new Uint8Array(256).fill(UNKNOWN)
const TRUNCATIONS = [NOTHING, NOTHING, NOTHING, NOTHING, NOTHING, NOTHING, NOTHING, NOTHING]
const MISC_PLAIN = Uint8Array.from([
  ...TRUNCATIONS,
  TWO_INDEXES, // memory.init
  INDEX, // data.drop
  TWO_INDEXES, // memory.copy
  INDEX, // memory.fill
  TWO_INDEXES, // table.init
  INDEX, // elem.drop
  TWO_INDEXES, // table.copy
  INDEX, // table.grow
  INDEX, // table.size
  INDEX, // table.fill
])
const SIMD_PLAIN = new Uint8Array(256).fill(NOTHING)

function set(table: Uint8Array, first: number, last: number, what: number): void {
  table.fill(what, first, last + 1)
}
set(PLAIN, 0x00, 0x01, NOTHING)
set(PLAIN, 0x02, 0x04, BLOCK_TYPE)
set(PLAIN, 0x05, 0x05, NOTHING)
set(PLAIN, 0x06, 0x06, BLOCK_TYPE)
set(PLAIN, 0x07, 0x09, INDEX)
set(PLAIN, 0x0a, 0x0b, NOTHING)
set(PLAIN, 0x0c, 0x0d, INDEX)
set(PLAIN, 0x0e, 0x0e, BRANCH_TABLE)
set(PLAIN, 0x0f, 0x0f, NOTHING)
set(PLAIN, 0x10, 0x10, INDEX)
set(PLAIN, 0x11, 0x11, TWO_INDEXES)
set(PLAIN, 0x12, 0x12, INDEX)
set(PLAIN, 0x13, 0x13, TWO_INDEXES)
set(PLAIN, 0x18, 0x18, INDEX)
set(PLAIN, 0x19, 0x1b, NOTHING)
set(PLAIN, 0x1c, 0x1c, TYPES)
set(PLAIN, 0x1f, 0x1f, CATCHES)
set(PLAIN, 0x20, 0x26, INDEX)
set(PLAIN, 0x28, 0x3e, MEMORY_ARGUMENT)
set(PLAIN, 0x3f, 0x40, INDEX)
set(PLAIN, 0x41, 0x42, SIGNED)
set(PLAIN, 0x43, 0x43, BYTES_4)
set(PLAIN, 0x44, 0x44, BYTES_8)
set(PLAIN, 0x45, 0xc4, NOTHING)
set(PLAIN, 0xd0, 0xd0, BYTE)
set(PLAIN, 0xd1, 0xd1, NOTHING)
set(PLAIN, 0xd2, 0xd2, INDEX)
set(SIMD_PLAIN, 0, 11, MEMORY_ARGUMENT)
set(SIMD_PLAIN, 12, 13, BYTES_16)
set(SIMD_PLAIN, 21, 34, LANE)
set(SIMD_PLAIN, 84, 91, MEMORY_AND_LANE)
set(SIMD_PLAIN, 92, 93, MEMORY_ARGUMENT)

/** The value types there are, one byte each. */
const VALUE_TYPES: ReadonlySet<number> = new Set([0x7f, 0x7e, 0x7d, 0x7c, 0x7b, 0x70, 0x6f])
const EMPTY_BLOCK = 0x40
/** Clauses of a `try_table` from this number on name no exception. */
const CATCH_ALL = 2

/** Reads instructions one after another, always into the same fields: there are millions of them. */
export class InstructionReader {
  readonly #reader: ByteReader
  readonly #relaxed: boolean
  /** Where the instruction starts and where the next one does. */
  start = 0
  end = 0
  op = 0
  /** The first index or label. */
  index = 0
  /** Labels of a `br_table`, or of the clauses of a `try_table`. */
  readonly labels: number[] = []
  /** Of a block: its value type, the index of its type, or neither. */
  blockType = EMPTY_BLOCK

  /** `relaxed`: whether instructions whose results differ from machine to machine may occur. */
  constructor(reader: ByteReader, relaxed: boolean) {
    this.#reader = reader
    this.#relaxed = relaxed
  }

  get done(): boolean {
    return this.#reader.done
  }

  /** Reads the next one. Throws IMAGE_INVALID at one of a proposal that is not followed here. */
  next(): void {
    const reader = this.#reader
    this.start = reader.position
    const first = reader.u8()
    let what = PLAIN[first] ?? UNKNOWN
    this.op = first
    if (first === MISC) {
      const second = reader.u32()
      this.op = 0xfc00 + second
      what = MISC_PLAIN[second] ?? UNKNOWN
    } else if (first === SIMD) {
      const second = reader.u32()
      this.op = SIMD_BASE + second
      what = SIMD_PLAIN[second] ?? this.#relaxedKind(second)
    }
    if (what !== NOTHING) this.#immediates(what)
    this.end = reader.position
  }

  #relaxedKind(second: number): number {
    if (second < RELAXED || second > LAST_RELAXED) return UNKNOWN
    if (this.#relaxed) return NOTHING
    throw invalidModule('it uses relaxed SIMD, whose results differ from machine to machine')
  }

  #immediates(what: number): void {
    const reader = this.#reader
    switch (what) {
      case INDEX:
        this.index = reader.u32()
        return
      case TWO_INDEXES:
        this.index = reader.u32()
        reader.u32()
        return
      case MEMORY_ARGUMENT:
        this.#memoryArgument()
        return
      case MEMORY_AND_LANE:
        this.#memoryArgument()
        reader.u8()
        return
      case LANE:
      case BYTE:
        reader.u8()
        return
      case SIGNED:
        reader.skipNumber()
        return
      case BYTES_4:
        reader.skip(4)
        return
      case BYTES_8:
        reader.skip(8)
        return
      case BYTES_16:
        reader.skip(16)
        return
      case BLOCK_TYPE:
        this.#readBlockType()
        return
      case BRANCH_TABLE:
        this.labels.length = 0
        for (let count = reader.count(); count >= 0; count--) this.labels.push(reader.u32())
        return
      case CATCHES:
        this.#readCatches()
        return
      case TYPES:
        for (let count = reader.count(); count > 0; count--) this.#valueType(reader.u8())
        return
      default:
        throw invalidModule(`it uses ${proposalOf(this.op)}, which is not supported here`)
    }
  }

  #memoryArgument(): void {
    // Bit 6 of the alignment says that the number of a memory follows; there is only one memory.
    if (this.#reader.u32() >= 0x40) throw invalidModule('it uses several memories')
    this.#reader.skipNumber()
  }

  #readBlockType(): void {
    const first = this.#reader.u8()
    this.blockType = first
    if (first === EMPTY_BLOCK || VALUE_TYPES.has(first)) return
    // The index of a type is a signed number above zero; what else is negative is of a proposal.
    if (first >= 0x40 && first < 0x80)
      throw invalidModule('a block of a type that is not supported')
    const rest = first < 0x80 ? 0 : this.#reader.u32()
    this.blockType = TYPE_INDEX + (first & 0x7f) + rest * 0x80
  }

  #readCatches(): void {
    this.#readBlockType()
    this.labels.length = 0
    for (let count = this.#reader.count(); count > 0; count--) {
      const kind = this.#reader.u8()
      if (kind < CATCH_ALL) this.#reader.u32()
      this.labels.push(this.#reader.u32())
    }
  }

  #valueType(type: number): void {
    if (!VALUE_TYPES.has(type)) throw invalidModule('a value of a type that is not supported')
  }
}

/** Added to the index of a block's type, to tell it from a value type. */
export const TYPE_INDEX = 0x100

function proposalOf(op: number): string {
  const found = PROPOSALS.find(([first, last]) => op >= first && op <= last)
  return found?.[2] ?? `an unknown instruction (0x${op.toString(16)})`
}
