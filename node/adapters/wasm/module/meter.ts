import { BodyScan } from './body-scan.ts'
import { BodyWriter, type BodyPlace, type MeterGlobals } from './body-writer.ts'
import { leb128, type ByteReader } from './byte-reader.ts'
import { ByteWriter } from './byte-writer.ts'
import { METER_EXPORTS } from './meter-exports.ts'
import { SECTION, SECTION_ORDER, splitSections, type Section } from './sections.ts'
import { readFunctions, readImports, readTags, readTypes, Signatures } from './signatures.ts'

/** Kinds of exports. */
const FUNCTION = 0
const GLOBAL = 3
/** `mut i64` and `mut i32`, from 0. */
const I64_GLOBAL = [0x7e, 1, 0x42, 0, 0x0b]
const I32_GLOBAL = [0x7f, 1, 0x41, 0, 0x0b]
const V128 = 0x7b
/** What a frame counts as besides its locals and operands, slots: where it returns to, and bookkeeping. */
const FRAME_SLOTS = 8

/**
 * Rewrites a valid module so that it counts the instructions it executes down from the global
 * `METER_EXPORTS.fuel`, and traps when they are used up. With `deterministic`, NaNs made by operations have one
 * bit pattern and the depth of calls has a limit of its own. Throws IMAGE_INVALID, naming the
 * proposal, at what cannot be counted.
 *
 * An executed instruction costs 1; `block`, `loop`, `else`, `end` and `nop` cost nothing. Moving and
 * filling memory costs 1 more for every 16 bytes, of tables 1 for every element. A straight run of
 * instructions is paid for when it is entered.
 */
export function meterModule(bytes: Uint8Array, deterministic: boolean): Uint8Array {
  const sections = splitSections(bytes)
  const body = (id: number) => sections.find((section) => section.id === id)?.body
  const imported = read(body(SECTION.import), readImports)
  const functions = read(body(SECTION.function), readFunctions)
  const types = read(body(SECTION.type), readTypes)
  const own = body(SECTION.global)?.count() ?? 0
  const globals = { fuel: own, refused: own + 1, stack: own + 2 }
  const made = new Map<number, Uint8Array>()
  made.set(SECTION.global, withGlobals(bytes, find(sections, SECTION.global), own))
  const start = body(SECTION.start)?.u32()
  made.set(SECTION.export, withExports(bytes, find(sections, SECTION.export), globals, start))
  const code = body(SECTION.code)
  if (code !== undefined) {
    const tags = read(body(SECTION.tag), readTags)
    const signatures = new Signatures(types, imported.concat(functions), tags)
    made.set(
      SECTION.code,
      meterCode(bytes, code, new Bodies(signatures, imported.length), globals, deterministic),
    )
  }
  const parts = SECTION_ORDER.flatMap((id) => {
    if (id === SECTION.start) return []
    const content = made.get(id)
    if (content !== undefined) return [Uint8Array.from([id, ...leb128(content.length)]), content]
    const section = find(sections, id)
    return section === undefined ? [] : [bytes.subarray(section.start, section.end)]
  })
  return Buffer.concat([bytes.subarray(0, 8), ...parts])
}

/** The functions that have bodies, in order. */
class Bodies {
  readonly signatures: Signatures
  #next: number

  constructor(signatures: Signatures, imported: number) {
    this.signatures = signatures
    this.#next = imported
  }

  next() {
    return this.signatures.ofFunction(this.#next++)
  }
}

function meterCode(
  bytes: Uint8Array,
  code: ByteReader,
  bodies: Bodies,
  globals: MeterGlobals,
  deterministic: boolean,
): Uint8Array {
  const out = new ByteWriter(Math.ceil((code.end - code.position) * 1.6))
  const scan = new BodyScan(bodies.signatures, deterministic)
  const writer = new BodyWriter(bytes, globals)
  const count = code.count()
  out.u32(count)
  for (let n = 0; n < count; n++) {
    const body = code.within(code.u32())
    const signature = bodies.next()
    const locals = readLocals(body)
    scan.scan(body, signature)
    const frame = FRAME_SLOTS + signature.parameters + locals.slots + scan.height
    writer.write(out, locals, scan.edits, {
      parameters: signature.parameters,
      // An exception comes past the places where what others used is fetched.
      keepsFuel: scan.loops && !scan.catches,
      frame: deterministic && scan.calls ? frame : 0,
    })
  }
  return out.written
}

function readLocals(body: ByteReader): BodyPlace & { readonly slots: number } {
  const groups = body.count()
  const groupsStart = body.position
  let locals = 0
  let slots = 0
  for (let n = 0; n < groups; n++) {
    const count = body.u32()
    locals += count
    slots += body.u8() === V128 ? 2 * count : count
  }
  return { groups, locals, slots, groupsStart, codeStart: body.position, end: body.end }
}

function withGlobals(bytes: Uint8Array, section: Section | undefined, own: number): Uint8Array {
  return Buffer.concat([
    Uint8Array.from(leb128(own + 3)),
    contentOf(bytes, section),
    Uint8Array.from([...I64_GLOBAL, ...I32_GLOBAL, ...I32_GLOBAL]),
  ])
}

function withExports(
  bytes: Uint8Array,
  section: Section | undefined,
  globals: MeterGlobals,
  start: number | undefined,
): Uint8Array {
  const added = [
    ...exported(METER_EXPORTS.fuel, GLOBAL, globals.fuel),
    ...exported(METER_EXPORTS.refused, GLOBAL, globals.refused),
    ...exported(METER_EXPORTS.stack, GLOBAL, globals.stack),
    ...(start === undefined ? [] : exported(METER_EXPORTS.start, FUNCTION, start)),
  ]
  const own = section?.body.count() ?? 0
  const count = leb128(own + (start === undefined ? 3 : 4))
  return Buffer.concat([Uint8Array.from(count), contentOf(bytes, section), Uint8Array.from(added)])
}

function exported(name: string, kind: number, index: number): number[] {
  const text = Buffer.from(name)
  return [text.byteLength, ...text, kind, ...leb128(index)]
}

/** What follows the count of a section that has been read as far as that. */
function contentOf(bytes: Uint8Array, section: Section | undefined): Uint8Array {
  return section === undefined
    ? new Uint8Array()
    : bytes.subarray(section.body.position, section.end)
}

function find(sections: readonly Section[], id: number): Section | undefined {
  return sections.find((section) => section.id === id)
}

function read<T>(body: ByteReader | undefined, from: (body: ByteReader) => T[]): T[] {
  return body === undefined ? [] : from(body)
}
