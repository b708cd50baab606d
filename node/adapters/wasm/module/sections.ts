import { ByteReader, invalidModule } from './byte-reader.ts'

/** Section numbers of the binary format. */
export const SECTION = {
  custom: 0,
  type: 1,
  import: 2,
  function: 3,
  table: 4,
  memory: 5,
  global: 6,
  export: 7,
  start: 8,
  code: 10,
  tag: 13,
} as const

/** One section, where it stands in the module. */
export interface Section {
  readonly id: number
  /** Of the section's number. */
  readonly start: number
  /** Reads the content and nothing else. */
  readonly body: ByteReader
  readonly end: number
}

/** Numbers in the order the format demands; 12 (data count) and 13 (tags) were added later, in between. */
export const SECTION_ORDER: readonly number[] = [1, 2, 3, 4, 5, 13, 6, 7, 8, 9, 12, 10, 11]
/** `\0asm`. */
const MAGIC: readonly number[] = [0x00, 0x61, 0x73, 0x6d]
const CORE_VERSION: readonly number[] = [1, 0, 0, 0]
/** Version 13 in layer 1: the component model. */
const COMPONENT_VERSION: readonly number[] = [13, 0, 1, 0]

/** Splits a module; throws IMAGE_INVALID unless it is a core module with known sections, once each and in order. */
export function splitSections(bytes: Uint8Array): readonly Section[] {
  const reader = new ByteReader(bytes)
  if (!same(reader.take(4), MAGIC)) throw invalidModule('not a WebAssembly module')
  const version = reader.take(4)
  if (same(version, COMPONENT_VERSION))
    throw invalidModule('a component; only core modules of WASI preview 1 run here')
  if (!same(version, CORE_VERSION)) throw invalidModule('an unknown version of WebAssembly')
  const sections: Section[] = []
  let place = -1
  while (!reader.done) {
    const start = reader.position
    const id = reader.u8()
    const body = reader.within(reader.u32())
    sections.push({ id, start, body, end: reader.position })
    if (id === SECTION.custom) continue
    const next = SECTION_ORDER.indexOf(id)
    if (next === -1) throw invalidModule(`section ${id} is unknown`)
    if (next <= place) throw invalidModule(`section ${id} comes twice or out of order`)
    place = next
  }
  return sections
}

function same(bytes: Uint8Array, expected: readonly number[]): boolean {
  return expected.every((byte, at) => bytes[at] === byte)
}
