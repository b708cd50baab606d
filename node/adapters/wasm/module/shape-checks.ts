import { invalidModule, type ByteReader } from './byte-reader.ts'

const FUNCTION_TYPE = 0x60
/** i32 i64 f32 f64 v128 funcref externref. */
const VALUE_TYPES: ReadonlySet<number> = new Set([0x7f, 0x7e, 0x7d, 0x7c, 0x7b, 0x70, 0x6f])

/** Only plain function types: garbage-collected objects would live outside the clamped memory. */
export function checkTypes(body: ByteReader): void {
  for (let types = body.count(); types > 0; types--) {
    if (body.u8() !== FUNCTION_TYPE) throw invalidModule('a type that is not a plain function')
    for (const part of ['parameters', 'results'])
      for (const type of body.take(body.u32()))
        if (!VALUE_TYPES.has(type)) throw invalidModule(`${part} of a type that is not supported`)
  }
  body.finish('the type section')
}

/** A command exports its entry and its memory. */
export function checkExports(body: ByteReader | undefined): void {
  const found = new Set<string>()
  for (let exports = body?.count() ?? 0; body !== undefined && exports > 0; exports--) {
    const name = body.name()
    found.add(`${name} ${body.u8()}`)
    body.u32()
  }
  body?.finish('the export section')
  if (!found.has('_start 0')) throw invalidModule('it exports no function _start: not a command')
  if (!found.has('memory 2')) throw invalidModule('it exports no memory')
}
