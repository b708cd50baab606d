import { WASI_MODULE, WASI_NAMES } from '../wasi/names.ts'
import { invalidModule, type ByteReader } from './byte-reader.ts'
import { readLimits } from './limits-field.ts'

const KINDS = ['function', 'table', 'memory', 'global', 'tag'] as const
/** Most refused imports that the error names. */
const MAX_NAMED = 12
/** Longest part of a name in an error; the names are a stranger's. */
const MAX_NAME_CHARS = 60

/** Refuses a module that imports anything but functions of WASI preview 1, and says what. */
export function checkImports(body: ByteReader): void {
  const refused: string[] = []
  const count = body.count()
  for (let n = 0; n < count; n++) {
    const from = body.name()
    const name = body.name()
    const kind = KINDS[body.u8()]
    if (kind === undefined) throw invalidModule('an import of an unknown kind')
    skipDescription(body, kind)
    if (kind === 'function' && from === WASI_MODULE && WASI_NAMES.has(name)) continue
    refused.push(`${printable(from)}.${printable(name)}${kind === 'function' ? '' : ` (${kind})`}`)
  }
  body.finish('the import section')
  if (refused.length === 0) return
  const more = refused.length > MAX_NAMED ? ` and ${refused.length - MAX_NAMED} more` : ''
  throw invalidModule(
    `it imports what is not available: ${refused.slice(0, MAX_NAMED).join(', ')}${more}`,
  )
}

function skipDescription(body: ByteReader, kind: (typeof KINDS)[number]): void {
  switch (kind) {
    case 'function':
      body.u32()
      return
    case 'table':
      body.u8()
      readLimits(body, 'an imported table')
      return
    case 'memory':
      readLimits(body, 'an imported memory')
      return
    case 'global':
      body.take(2)
      return
    case 'tag':
      body.u8()
      body.u32()
  }
}

function printable(name: string): string {
  return name.slice(0, MAX_NAME_CHARS).replace(/[^\x21-\x7e]/g, '?')
}
