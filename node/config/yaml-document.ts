import { parseDocument } from 'yaml'
import type { Problem } from './reading.ts'

/** Aliases that one document may use; more is an attempt to blow it up. */
const MAX_ALIASES = 100

/** A YAML or JSON text as plain data, or `undefined` with the reasons in `problems`. */
export function readYaml(text: string, problems: Problem[]): unknown {
  const document = parseDocument(text, { prettyErrors: true, uniqueKeys: true })
  for (const { message, linePos } of document.errors) {
    const line = linePos?.[0].line
    const reason = message.split('\n')[0]?.replace(/ at line \d+, column \d+:?$/, '') ?? message
    problems.push({ path: line === undefined ? '' : `line ${line}`, text: reason })
  }
  if (document.errors.length > 0) return undefined
  try {
    return document.toJS({ maxAliasCount: MAX_ALIASES })
  } catch (error) {
    problems.push({ path: '', text: error instanceof Error ? error.message : String(error) })
    return undefined
  }
}
