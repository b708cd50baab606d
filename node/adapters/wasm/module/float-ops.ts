import { SIMD_BASE } from './instruction.ts'

/** The shapes of floating-point results whose NaN may differ from machine to machine. */
export const FLOATS = { f32: 1, f64: 2, f32x4: 3, f64x2: 4 } as const
export type Floats = (typeof FLOATS)[keyof typeof FLOATS]

const RESULTS = new Uint8Array(256)
/** Opcodes that look at a NaN only as a NaN: its bits are lost in them. */
const ABSORBS = new Uint8Array(256)
const VECTORS = new Uint8Array(256)

// From ceil to sqrt, and from add to max; sign changes and conversions from integers have one answer.
RESULTS.fill(FLOATS.f32, 0x8d, 0x98)
RESULTS.fill(FLOATS.f64, 0x9b, 0xa6)
RESULTS[0xb6] = FLOATS.f32
RESULTS[0xbb] = FLOATS.f64
ABSORBS.set(RESULTS.map((what) => Math.min(1, what)))
// Comparisons, and conversions to integers.
ABSORBS.fill(1, 0x5b, 0x67)
ABSORBS.fill(1, 0xa8, 0xac)
ABSORBS.fill(1, 0xae, 0xb2)
VECTORS.fill(FLOATS.f32x4, 103, 107)
VECTORS.fill(FLOATS.f32x4, 227, 234)
VECTORS.fill(FLOATS.f64x2, 116, 118)
VECTORS.fill(FLOATS.f64x2, 239, 246)
VECTORS[94] = FLOATS.f32x4
VECTORS[95] = VECTORS[122] = VECTORS[148] = FLOATS.f64x2

/** What `op` leaves on the stack if that may be a NaN of the engine's own making; 0 otherwise. */
export function floatsMadeBy(op: number): Floats | 0 {
  const table = op >= SIMD_BASE ? VECTORS : RESULTS
  return (table[op >= SIMD_BASE ? op - SIMD_BASE : op] ?? 0) as Floats | 0
}

/** Whether all floats that `op` takes lose their bits in it, or get canonical ones. */
export function absorbsFloats(op: number): boolean {
  return ABSORBS[op] === 1 || (op >= 0xfc00 && op <= 0xfc07)
}
