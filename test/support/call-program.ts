import { composeImage, imageArchive } from '../../node/adapters/image/image-archive.ts'
import { elf } from '../../node/adapters/image/tiny-program.ts'
import type { SandboxImage } from '../../node/ports/sandbox.ts'

/** An argument of a system call: a number, bytes in memory, or what an earlier call returned. */
export type Argument = number | Uint8Array | { readonly resultOf: number }
/** A system call by its x86-64 number. */
export type Call = readonly [number: number, ...args: Argument[]]

/** Where the program's own bytes are in memory: its file is mapped whole. */
const CODE_AT = 0x400000 + 64 + 56
/** Below the stack pointer, where the answers are kept. */
const ANSWERS = -4096
/** First bytes of `mov r64, imm32` for rax and the six arguments. */
const MOVES = ['48c7c0', '48c7c7', '48c7c6', '48c7c2', '49c7c2', '49c7c0', '49c7c1']
const [WRITE, EXIT] = [1, 60]
const STDOUT = 1

/** Why programs made here cannot run on this machine, or `false`. */
export const otherMachine: string | false =
  process.arch === 'x64' ? false : 'skipped: the calls are written in x86-64 code'

/** A program that makes system calls one after the other and writes what each returned, 32 bits each, to a descriptor. */
export function callProgram(calls: readonly Call[], descriptor = STDOUT): Uint8Array {
  const whole: readonly Call[] = [...calls, [WRITE, descriptor], [EXIT, 0]]
  const length = assemble(whole, 0).code.length
  const { code, data } = assemble(whole, CODE_AT + length)
  return elf('amd64', Buffer.concat([code, data]))
}

/** An image of {@link callProgram}. */
export function callImage(calls: readonly Call[]): SandboxImage {
  const image = composeImage({
    architecture: 'amd64',
    entrypoint: ['/call'],
    members: [{ path: 'call', bytes: callProgram(calls), mode: 0o755 }],
  })
  return { id: image.id, load: async () => Buffer.concat([...imageArchive(image)]) }
}

/** What the calls returned: a value, or an errno below zero. */
export function answersOf(written: Uint8Array): readonly number[] {
  const bytes = Buffer.from(written)
  return Array.from({ length: bytes.length / 4 }, (_, at) => bytes.readInt32LE(at * 4))
}

function assemble(calls: readonly Call[], dataAt: number): { code: Buffer; data: Buffer } {
  const data: Uint8Array[] = []
  let used = 0
  const code = calls.flatMap((call, at) => {
    const words = call.map((word, place) => {
      const [first, second, third] = Buffer.from(MOVES[place] ?? '', 'hex')
      if (typeof word === 'number') return [first, second, third, ...int32(word)]
      if (word instanceof Uint8Array) {
        data.push(word)
        used += word.length
        return [first, second, third, ...int32(dataAt + used - word.length)]
      }
      if (place !== 1) throw new Error('only a first argument can be an earlier result')
      return [0x48, 0x63, 0xbc, 0x24, ...int32(ANSWERS + word.resultOf * 4)] // movsxd rdi, [rsp + …]
    })
    const isPrint = call[0] === WRITE && at === calls.length - 2
    const answers = [0x48, 0x8d, 0xb4, 0x24, ...int32(ANSWERS)] // lea rsi, [rsp + …]
    const size = [0x48, 0xc7, 0xc2, ...int32((calls.length - 2) * 4)] // mov rdx, …
    return [
      ...words.flat(),
      ...(isPrint ? [...answers, ...size] : []),
      0x0f, // syscall
      0x05,
      0x89, // mov [rsp + …], eax
      0x84,
      0x24,
      ...int32(ANSWERS + at * 4),
    ]
  })
  return { code: Buffer.from(code as number[]), data: Buffer.concat(data) }
}

function int32(value: number): readonly number[] {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32LE(value | 0)
  return [...bytes]
}
