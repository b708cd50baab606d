import { OP, SIMD_BASE } from './instruction.ts'

/** By how much an opcode without a type of its own raises the operand stack. */
const EFFECTS = new Int8Array(256)
const effect = (first: number, last: number, change: number) =>
  EFFECTS.fill(change, first, last + 1)
effect(0x0d, 0x0e, -1)
effect(0x04, 0x04, -1)
effect(0x1a, 0x1a, -1)
effect(0x1b, 0x1c, -2)
effect(0x20, 0x20, 1)
effect(0x21, 0x21, -1)
effect(0x23, 0x23, 1)
effect(0x24, 0x24, -1)
effect(0x26, 0x26, -2)
effect(0x36, 0x3e, -2)
effect(0x3f, 0x3f, 1)
effect(0x41, 0x44, 1)
effect(0x46, 0x4f, -1)
effect(0x51, 0x66, -1)
effect(0x6a, 0x78, -1)
effect(0x7c, 0x8a, -1)
effect(0x92, 0x98, -1)
effect(0xa0, 0xa6, -1)
effect(0xd0, 0xd0, 1)
effect(0xd2, 0xd2, 1)

/**
 * By how much `op` raises the operand stack; calls and blocks have types that say it instead. Of
 * vector instructions only the loads and stores are told apart: the others never count as less than they are.
 */
export function stackEffect(op: number): number {
  if (op < 0x100) return EFFECTS[op] ?? 0
  if (op >= SIMD_BASE) {
    const vector = op - SIMD_BASE
    if (vector === 11 || (vector >= 88 && vector <= 91)) return -2
    return vector === 12 ? 1 : 0
  }
  switch (op) {
    case OP.memoryInit:
    case OP.memoryCopy:
    case OP.memoryFill:
    case OP.tableInit:
    case OP.tableCopy:
    case OP.tableFill:
      return -3
    case 0xfc0f: // table.grow
      return -1
    case 0xfc10: // table.size
      return 1
    default:
      return 0
  }
}
