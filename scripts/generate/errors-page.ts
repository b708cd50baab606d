import { CHAIN_ERRORS } from '../../node/domain/chain-errors.ts'
import { DECLINE_ERRORS } from '../../node/domain/decline-errors.ts'
import { ERROR_CODES } from '../../node/domain/error-codes.ts'
import type { ErrorText } from '../../node/domain/error-text.ts'
import { JOB_ERRORS } from '../../node/domain/job-errors.ts'
import { LINE_ERRORS } from '../../node/domain/line-errors.ts'
import { MARKET_ERRORS } from '../../node/domain/market-errors.ts'
import { NODE_ERRORS } from '../../node/domain/node-errors.ts'

const INTRO = `# Errors

Every failure that the project can answer with: on the command line, in the local API, and between
nodes. Each one has three parts: what happened, the values at hand (the error’s \`data\`), and what to do.
Written by \`node scripts/generate/errors-doc.ts\` from \`node/domain/*-errors.ts\`; a test compares the two.
`

const SECTIONS: readonly (readonly [string, Readonly<Record<string, ErrorText>>])[] = [
  ['Messages, bids and agreements', MARKET_ERRORS],
  ['A provider’s reasons to decline', DECLINE_ERRORS],
  ['Jobs and sandboxes', JOB_ERRORS],
  ['Peers and content', LINE_ERRORS],
  ['Chain and money', CHAIN_ERRORS],
  ['The node itself', NODE_ERRORS],
]

/** The page: a section for each part of the table. Throws RangeError when a part has no section. */
export function renderErrorsDoc(): string {
  const parts = SECTIONS.map(([heading, errors]) => {
    const entries = Object.entries(errors).map(
      ([code, { what, remedy }]) => `\n### ${code}\n\n${what}\n\n**What to do:** ${remedy}\n`,
    )
    return `\n## ${heading}\n${entries.join('')}`
  })
  const shown = SECTIONS.reduce((sum, [, errors]) => sum + Object.keys(errors).length, 0)
  const all = Object.keys(ERROR_CODES).length
  if (shown !== all) throw new RangeError(`${all} codes, and ${shown} in sections`)
  return [INTRO, ...parts].join('')
}
