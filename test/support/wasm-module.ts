// Builds small modules byte by byte, also wrong ones that no compiler would make.

/** One section: its number and content. */
export function section(id: number, ...content: number[]): number[] {
  return [id, ...uleb(content.length), ...content]
}

/** A module of these sections, in this order. */
export function wasmModule(...sections: readonly number[][]): Uint8Array {
  return Uint8Array.from([0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...sections.flat()])
}

/** A name: its length and bytes. */
export function name(text: string): number[] {
  const bytes = [...new TextEncoder().encode(text)]
  return [...uleb(bytes.length), ...bytes]
}

/** A number as LEB128. */
export function uleb(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) | 0x80, ...uleb(Math.floor(value / 128))]
}

/** `() → ()`. */
export const TYPES: number[] = section(1, 1, 0x60, 0, 0)
/** One function of that type. */
export const FUNCTIONS: number[] = section(3, 1, 0)
/** A memory of one page, without a maximum. */
export const MEMORY: number[] = section(5, 1, 0, 1)
/** `_start` and `memory`. */
export const EXPORTS: number[] = section(7, 2, ...name('_start'), 0, 0, ...name('memory'), 2, 0)
/** One empty function. */
export const CODE: number[] = section(10, 1, 2, 0, 0x0b)
/** One function that never ends: `loop br 0 end`. */
export const ENDLESS_CODE: number[] = section(10, 1, 7, 0, 0x03, 0x40, 0x0c, 0, 0x0b, 0x0b)
