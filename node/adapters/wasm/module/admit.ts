import { invalidModule, leb128, type ByteReader } from './byte-reader.ts'
import { checkCode } from './code-check.ts'
import { checkImports } from './imports-check.ts'
import { clampedLimits, readLimits } from './limits-field.ts'
import { SECTION, splitSections } from './sections.ts'
import { checkExports, checkTypes } from './shape-checks.ts'

/** Most elements of all tables together; one costs 8 bytes outside the memory. */
const MAX_TABLE_ELEMENTS = 1_000_000
/** Most tables. */
const MAX_TABLES = 16
/** Most pages of 32-bit memory. */
const MAX_PAGES = 65_536
/** An element of a table: `funcref` or `externref`. */
const REFERENCE_TYPES: ReadonlySet<number> = new Set([0x70, 0x6f])

/**
 * Checks a stranger's module and answers it with its memory clamped to `maxPages` and its tables
 * clamped too. Throws IMAGE_INVALID, and nothing else, with what is wrong. Whether what is inside
 * functions is valid is left to the engine.
 */
export function admitModule(bytes: Uint8Array, maxPages: number): Uint8Array {
  const sections = splitSections(bytes)
  const body = (id: number) => sections.find((section) => section.id === id)?.body
  const types = body(SECTION.type)
  if (types !== undefined) checkTypes(types)
  const imports = body(SECTION.import)
  if (imports !== undefined) checkImports(imports)
  checkExports(body(SECTION.export))
  const code = body(SECTION.code)
  if (code !== undefined) checkCode(code)
  const parts = sections.map((section) => {
    if (section.id === SECTION.memory) {
      return wrap(section.id, clampMemory(section.body, Math.min(maxPages, MAX_PAGES)))
    }
    if (section.id === SECTION.table) return wrap(section.id, clampTables(section.body))
    return bytes.subarray(section.start, section.end)
  })
  return Buffer.concat([bytes.subarray(0, 8), ...parts])
}

function clampMemory(body: ByteReader, maxPages: number): number[] {
  const count = body.count()
  if (count > 1) throw invalidModule('it has more than one memory')
  if (count === 0) return [0]
  const limits = readLimits(body, 'its memory')
  body.finish('the memory section')
  if (limits.minimum > maxPages)
    throw invalidModule(`its memory starts at ${limits.minimum} pages; the limit is ${maxPages}`)
  return [1, ...clampedLimits(limits, maxPages)]
}

function clampTables(body: ByteReader): number[] {
  const count = body.count()
  if (count > MAX_TABLES) throw invalidModule(`it has more than ${MAX_TABLES} tables`)
  const tables: number[] = []
  let elements = 0
  for (let n = 0; n < count; n++) {
    const type = body.u8()
    if (!REFERENCE_TYPES.has(type)) throw invalidModule('a table of a type that is not supported')
    const limits = readLimits(body, 'a table')
    elements += limits.minimum
    if (elements > MAX_TABLE_ELEMENTS) throw invalidModule('its tables are too large')
    tables.push(type, ...clampedLimits(limits, MAX_TABLE_ELEMENTS))
  }
  body.finish('the table section')
  return [...leb128(count), ...tables]
}

function wrap(id: number, content: readonly number[]): Uint8Array {
  return Uint8Array.from([id, ...leb128(content.length), ...content])
}
