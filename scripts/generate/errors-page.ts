import { DECLINE_CODES } from '../../node/domain/decline-errors.ts'
import { ERROR_CODES, type ErrorCode } from '../../node/domain/error-codes.ts'
import { isErrorCode } from '../../node/domain/errors.ts'

const INTRO = `# Errors

Every failure that the project can answer with: on the command line, in the local API, and between
nodes. Each one has three parts: what happened, the values at hand (the error’s \`data\`), and what to do.
Written by \`node scripts/generate/errors-doc.ts\` from \`node/domain/error-codes.ts\`; a test compares the two.
`

/** The page, in the order and under the headings of the table's source. */
export function renderErrorsDoc(source: string): string {
  const seen = new Set<ErrorCode>()
  const parts: string[] = [INTRO]
  for (const line of source.split('\n')) {
    const heading = /^ {2}\/\/ (.+)$/.exec(line)?.[1]
    const codes = line === '  ...DECLINE_ERRORS,' ? DECLINE_CODES : codesOf(line)
    if (heading !== undefined)
      parts.push(`\n## ${heading.charAt(0).toUpperCase()}${heading.slice(1)}\n`)
    for (const code of codes) {
      seen.add(code)
      const { what, remedy } = ERROR_CODES[code]
      parts.push(`\n### ${code}\n\n${what}\n\n**What to do:** ${remedy}\n`)
    }
  }
  const rest = Object.keys(ERROR_CODES).filter((code) => isErrorCode(code) && !seen.has(code))
  if (rest.length > 0) throw new RangeError(`codes not found in the source: ${rest.join(', ')}`)
  return parts.join('')
}

/** The code whose entry starts on this line. */
function codesOf(line: string): readonly ErrorCode[] {
  const code = /^ {2}([A-Z][A-Z0-9_]*): text\(/.exec(line)?.[1]
  return isErrorCode(code) ? [code] : []
}
