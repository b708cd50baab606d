import { KiB } from '../../../domain/units.ts'
import { invalidModule, type ByteReader } from './byte-reader.ts'
import { InstructionReader, OP } from './instruction.ts'

/** Largest function body. The largest seen in real programs (interpreter loops) is below 300 KiB. */
const MAX_FUNCTION_BYTES: number = 1024 * KiB

// What the optimiser's time grows with faster than with the size. A function at one of these bounds takes
// it one to two seconds; far above them it takes minutes, in which its thread cannot be ended.
const MAX_LOOPS = 5000
const MAX_CALLS = 50_000
const MAX_FORKS = 100_000
/** Places where paths fork, times locals: at each of them the optimiser goes through all locals. */
const MAX_FORKED_LOCALS = 20_000_000

/** Below these sizes the bounds cannot be reached, so real modules are hardly ever looked into. */
const LARGE_BYTES: number = 64 * KiB
const LOOP_BYTES = 3

/** Refuses functions that the engine would compile for so long that nothing could interrupt it in time. */
export function checkCode(body: ByteReader): void {
  for (let functions = body.count(); functions > 0; functions--) {
    const size = body.u32()
    if (size > MAX_FUNCTION_BYTES)
      throw invalidModule(`a function of ${size} bytes; at most ${MAX_FUNCTION_BYTES} are compiled`)
    checkFunction(body.within(size), size)
  }
  body.finish('the code section')
}

function checkFunction(body: ByteReader, size: number): void {
  let locals = 0
  for (let groups = body.count(); groups > 0; groups--) {
    locals += body.u32()
    body.skip(1)
  }
  const manyLoops = size > MAX_LOOPS * LOOP_BYTES && body.occurrences(OP.loop) > MAX_LOOPS
  if (size <= LARGE_BYTES && locals * size <= MAX_FORKED_LOCALS && !manyLoops) return
  const { loops, calls, forks } = countIn(body)
  const over =
    most(loops, MAX_LOOPS, 'loops') ??
    most(calls, MAX_CALLS, 'calls') ??
    most(forks, MAX_FORKS, 'branches') ??
    most(forks * locals, MAX_FORKED_LOCALS, 'branches times locals')
  if (over !== undefined) throw invalidModule(`a function is too complex to compile: ${over}`)
}

function countIn(body: ByteReader) {
  const instruction = new InstructionReader(body, true)
  const counts = { loops: 0, calls: 0, forks: 0 }
  while (!instruction.done) {
    instruction.next()
    switch (instruction.op) {
      case OP.loop:
        counts.loops += 1
        counts.forks += 1
        break
      case OP.call:
      case OP.callIndirect:
        counts.calls += 1
        break
      case OP.block:
      case OP.if:
      case OP.brIf:
      case OP.try:
      case OP.tryTable:
        counts.forks += 1
        break
      case OP.brTable:
        counts.forks += instruction.labels.length
    }
  }
  return counts
}

function most(count: number, limit: number, what: string): string | undefined {
  return count > limit ? `${count} ${what}, at most ${limit}` : undefined
}
