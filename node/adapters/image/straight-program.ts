import { CODE_START, elf, type Architecture } from './tiny-program.ts'

/** Bytes that the kernel is pointed to, or words of 64 bits, each a number or the address of further bytes. */
export type Pointed = Uint8Array | { readonly words: readonly (number | Pointed)[] }

/** A system call by its number on the processor family at hand. */
export interface StraightCall {
  readonly number: number
  readonly args: readonly (number | Pointed)[]
  /** Goes on with the next call though this one fails; otherwise the last calls are made at once. */
  readonly mayFail?: boolean
}

/** Registers of the arguments, as `movabs` names them. Source: Intel SDM; System V ABI, A.2.1. */
const AMD64_REGISTERS = [
  [0x48, 0xbf],
  [0x48, 0xbe],
  [0x48, 0xba],
  [0x49, 0xba],
  [0x49, 0xb8],
] as const
/** Bytes of one call: without its arguments, and of each of these. */
const SIZES = {
  amd64: { call: 10 + 2 + 3 + 6, argument: 10 },
  arm64: { call: 16 + 4 + 4, argument: 16 },
} as const

/**
 * A static program that makes calls one after the other, and `last` after those or after the first that fails: the only
 * branch that it has.
 */
export function straightProgram(
  architecture: Architecture,
  calls: readonly StraightCall[],
  last: readonly StraightCall[],
): Uint8Array {
  const sizes = SIZES[architecture]
  const sizeOf = ({ args }: StraightCall) => sizes.call + args.length * sizes.argument
  const total = (some: readonly StraightCall[]) => some.reduce((sum, one) => sum + sizeOf(one), 0)
  const failed = total(calls)
  const data = new DataPart(CODE_START + failed + total(last))
  const code: number[] = []
  for (const call of [...calls, ...last.map((one) => ({ ...one, mayFail: true }))]) {
    const values = call.args.map((arg) => (typeof arg === 'number' ? arg : data.place(arg)))
    const target = call.mayFail === true ? code.length + sizeOf(call) : failed
    const write = architecture === 'amd64' ? amd64 : arm64
    code.push(...write(call.number, values, target - code.length))
  }
  return elf(architecture, Buffer.concat([Buffer.from(code), ...data.parts]))
}

/** What lies behind the code. */
class DataPart {
  readonly parts: Uint8Array[] = []
  #end: number

  constructor(start: number) {
    this.#end = start
  }

  /** Adds it, with what it points to; gives its address. */
  place(data: Pointed): number {
    if (data instanceof Uint8Array) return this.#add(data)
    const words = data.words.map((one) => (typeof one === 'number' ? one : this.place(one)))
    return this.#add(Buffer.concat(words.map(word64)))
  }

  #add(bytes: Uint8Array): number {
    const padding = -this.#end & 7
    this.parts.push(Buffer.alloc(padding), bytes)
    const address = this.#end + padding
    this.#end = address + bytes.length
    return address
  }
}

/** One call that jumps `distance` bytes, counted from its start, when it fails. */
function amd64(number: number, args: readonly number[], distance: number): number[] {
  const code = args.flatMap((arg, at) => [...(AMD64_REGISTERS[at] ?? []), ...word64(arg)])
  // movabs rax, number; syscall; test rax, rax; js …, counted from the next instruction
  code.push(0x48, 0xb8, ...word64(number), 0x0f, 0x05, 0x48, 0x85, 0xc0, 0x0f, 0x88)
  return [...code, ...word(distance - code.length - 4)]
}

/** As {@link amd64}. */
function arm64(number: number, args: readonly number[], distance: number): number[] {
  const code = [...args.flatMap((arg, at) => movesOf(at, arg)), ...movesOf(8, number)]
  code.push(...word(0xd4000001)) // svc #0
  const ahead = (distance - code.length) >> 2
  return [...code, ...word(0xb7f80000 + ((ahead & 0x3fff) << 5))] // tbnz x0, #63, …
}

/** movz and three movk: a whole register, 16 bits at a time. */
function movesOf(register: number, value: number): number[] {
  const bytes = word64(value)
  return [0, 1, 2, 3].flatMap((at) => {
    const half = bytes.readUInt16LE(at * 2)
    return [...word((at === 0 ? 0xd2800000 : 0xf2800000) + (at << 21) + (half << 5) + register)]
  })
}

function word(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32LE(value | 0)
  return bytes
}

function word64(value: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64LE(BigInt(value))
  return bytes
}
