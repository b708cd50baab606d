import { invalidModule, type ByteReader } from './byte-reader.ts'
import { TYPE_INDEX } from './instruction.ts'

/** How many values a function or block takes and leaves; what they are matters to nobody here. */
export interface Signature {
  readonly parameters: number
  readonly results: number
}

const NOTHING: Signature = { parameters: 0, results: 0 }
const ONE_RESULT: Signature = { parameters: 0, results: 1 }
const EMPTY_BLOCK = 0x40

/** The types of a module's functions, imported ones first, and of its exceptions. */
export class Signatures {
  readonly #types: readonly Signature[]
  readonly #functions: readonly number[]
  readonly #tags: readonly number[]

  constructor(types: readonly Signature[], functions: readonly number[], tags: readonly number[]) {
    this.#types = types
    this.#functions = functions
    this.#tags = tags
  }

  ofType(index: number): Signature {
    const type = this.#types[index]
    if (type === undefined) throw invalidModule(`there is no type ${index}`)
    return type
  }

  ofFunction(index: number): Signature {
    const type = this.#functions[index]
    if (type === undefined) throw invalidModule(`there is no function ${index}`)
    return this.ofType(type)
  }

  /** What an exception carries. */
  ofTag(index: number): Signature {
    const type = this.#tags[index]
    if (type === undefined) throw invalidModule(`there is no tag ${index}`)
    return this.ofType(type)
  }

  ofBlock(type: number): Signature {
    if (type === EMPTY_BLOCK) return NOTHING
    return type < TYPE_INDEX ? ONE_RESULT : this.ofType(type - TYPE_INDEX)
  }
}

/** Reads a type section of plain functions. */
export function readTypes(body: ByteReader): Signature[] {
  return Array.from({ length: body.count() }, () => {
    body.u8()
    const [parameters, results] = [body.take(body.u32()), body.take(body.u32())]
    return { parameters: parameters.byteLength, results: results.byteLength }
  })
}

/** Reads the function section: the type of each function that has a body. */
export function readFunctions(body: ByteReader): number[] {
  return Array.from({ length: body.count() }, () => body.u32())
}

/** Reads an import section of functions alone: their types. */
export function readImports(body: ByteReader): number[] {
  return Array.from({ length: body.count() }, () => {
    body.skip(body.u32())
    body.skip(body.u32())
    if (body.u8() !== 0) throw invalidModule('an import that is not a function')
    return body.u32()
  })
}

/** Reads the tag section: the type of each exception. */
export function readTags(body: ByteReader): number[] {
  return Array.from({ length: body.count() }, () => {
    body.u8()
    return body.u32()
  })
}
