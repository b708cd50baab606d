import {
  ENOSYS,
  EPERM,
  JOB_CALLS,
  NAMESPACE_FLAGS,
  PERSONAS,
  THREAD_FLAG,
  type CallRules,
} from './system-calls.ts'
import type { Architecture } from '../image/tiny-program.ts'
import { callNumbers } from './call-numbers.ts'

/** One instruction of the kernel's filter machine: code, jumps when true and when false, operand. */
type Instruction = readonly [code: number, yes: number, no: number, operand: number]

/** Numbers from `first` to `last` that are all admitted. */
type Range = readonly [first: number, last: number]

/** Instruction codes. Source: linux/bpf_common.h. */
const LOAD = 0x20
const JUMP = 0x05
const IF_EQUAL = 0x15
const IF_GREATER = 0x25
const IF_AT_LEAST = 0x35
const IF_ANY_BIT = 0x45
const RETURN = 0x06

/** What a filter answers. Source: linux/seccomp.h. */
const ALLOW = 0x7fff0000
const KILL_PROCESS = 0x80000000
const ERRNO = 0x00050000

/** Offsets in `struct seccomp_data`; the low half of an argument comes first, both families being little-endian. */
const NUMBER_AT = 0
const ARCHITECTURE_AT = 4
const FIRST_ARGUMENT_AT = 16

/** AUDIT_ARCH_…. Source: linux/audit.h. */
const AUDIT: Readonly<Record<Architecture, number>> = { amd64: 0xc000003e, arm64: 0xc00000b7 }
/** With clone's flags loaded: refuses what would be a process of its own. */
const THREADS_ONLY: readonly Instruction[] = [
  [IF_ANY_BIT, 1, 0, THREAD_FLAG],
  [RETURN, 0, 0, ERRNO | EPERM],
]
/** From here on numbers are those of x32, a second set of calls on x86-64. */
const X32_CALLS = 0x40000000

/**
 * Rules for system calls as a program for the kernel itself: for those of jobs, what the container engines make of the
 * same, without an engine. Code of another processor family is killed, for its numbers mean other calls.
 */
export function seccompProgram(architecture: Architecture, rules: CallRules = JOB_CALLS): Buffer {
  const numbers = callNumbers(architecture)
  const allowed = rules.allowed.flatMap((name) => numbers.get(name) ?? [])
  const program: Instruction[] = [
    [LOAD, 0, 0, ARCHITECTURE_AT],
    [IF_EQUAL, 1, 0, AUDIT[architecture]],
    [RETURN, 0, 0, KILL_PROCESS],
    [LOAD, 0, 0, NUMBER_AT],
    [IF_AT_LEAST, 0, 1, X32_CALLS],
    [RETURN, 0, 0, ERRNO | EPERM],
    ...onlyFor(numbers.get('socket'), firstArgumentIn(rules.socketFamilies)),
    ...onlyFor(numbers.get('personality'), firstArgumentIn(PERSONAS)),
    ...onlyFor(numbers.get('clone'), [
      [LOAD, 0, 0, FIRST_ARGUMENT_AT],
      [IF_ANY_BIT, 0, 1, NAMESPACE_FLAGS],
      [RETURN, 0, 0, ERRNO | EPERM],
      ...(rules.mayFork ? [] : THREADS_ONLY),
      [RETURN, 0, 0, ALLOW],
    ]),
    // its flags lie in memory where a filter cannot look
    ...onlyFor(numbers.get('clone3'), [[RETURN, 0, 0, ERRNO | ENOSYS]]),
    ...search(rangesOf(allowed)),
  ]
  return encode(program)
}

function onlyFor(number: number | undefined, then: readonly Instruction[]): Instruction[] {
  return number === undefined ? [] : [[IF_EQUAL, 0, then.length, number], ...then]
}

function firstArgumentIn(values: readonly number[]): Instruction[] {
  return [
    [LOAD, 0, 0, FIRST_ARGUMENT_AT],
    ...values.map((value, at): Instruction => [IF_EQUAL, values.length - at, 0, value]),
    [RETURN, 0, 0, ERRNO | EPERM],
    [RETURN, 0, 0, ALLOW],
  ]
}

function rangesOf(numbers: readonly number[]): readonly Range[] {
  const ranges: [number, number][] = []
  for (const number of [...new Set(numbers)].toSorted((a, b) => a - b)) {
    const last = ranges.at(-1)
    if (last?.[1] === number - 1) last[1] = number
    else ranges.push([number, number])
  }
  return ranges
}

/** Halves the ranges until one is left: a filter runs at every call, so its depth is what a job pays. */
function search(ranges: readonly Range[]): Instruction[] {
  const [range, other] = ranges
  if (range === undefined) return [[RETURN, 0, 0, ERRNO | EPERM]]
  if (other === undefined) {
    return [
      [IF_AT_LEAST, 0, 2, range[0]],
      [IF_GREATER, 1, 0, range[1]],
      [RETURN, 0, 0, ALLOW],
      [RETURN, 0, 0, ERRNO | EPERM],
    ]
  }
  const middle = ranges.length >> 1
  const pivot = ranges[middle]?.[0] ?? 0
  const below = search(ranges.slice(0, middle))
  // a conditional jump reaches 255 instructions only, the plain one any number
  return [
    [IF_AT_LEAST, 0, 1, pivot],
    [JUMP, 0, 0, below.length],
    ...below,
    ...search(ranges.slice(middle)),
  ]
}

function encode(program: readonly Instruction[]): Buffer {
  const bytes = Buffer.alloc(program.length * 8)
  for (const [at, [code, yes, no, operand]] of program.entries()) {
    bytes.writeUInt16LE(code, at * 8)
    bytes[at * 8 + 2] = yes
    bytes[at * 8 + 3] = no
    bytes.writeUInt32LE(operand >>> 0, at * 8 + 4)
  }
  return bytes
}
