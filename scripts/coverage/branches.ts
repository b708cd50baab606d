/** A place where the contracts choose: `if`, a loop's condition, or `?:`. */
export interface Branch {
  /** Line of the choice in the source, from 1. */
  readonly line: number
  /** Lines that {@link withBranches} appended for it, one hit when the condition holds, one when it does not. */
  readonly whenTrue: number
  readonly whenFalse: number
}

/** A node of the compiler's syntax tree. `src` is start, length and file, in bytes. */
interface SyntaxNode {
  readonly nodeType?: string
  readonly src?: string
  readonly condition?: SyntaxNode | null
}

const CHOICES: ReadonlySet<string> = new Set([
  'Conditional',
  'DoWhileStatement',
  'ForStatement',
  'IfStatement',
  'WhileStatement',
])

/**
 * Hardhat's coverage counts lines, not branches. So each condition is passed through a function of its own, appended to
 * the file, in which either answer has a line; all lines of the source stay where they were.
 */
export function withBranches(
  source: string,
  ast: unknown,
  prefix: string,
): { readonly source: string; readonly branches: readonly Branch[] } {
  const bytes = Buffer.from(source)
  const conditions = conditionsOf(ast).toSorted((a, b) => a.start - b.start || b.end - a.end)
  const edits = conditions
    .flatMap(({ start, end }, at) => [
      { at: start, text: `${prefix}${at}(` },
      { at: end, text: ')' },
    ])
    // Stable: of two that start at one place the longer one stays outside.
    .toSorted((a, b) => a.at - b.at)
  let from = 0
  const parts = edits.map(({ at, text }) => {
    const before = bytes.subarray(from, at).toString()
    from = at
    return before + text
  })
  let text = `${parts.join('')}${bytes.subarray(from).toString().trimEnd()}\n`
  const branches = conditions.map(({ start }, at): Branch => {
    const first = text.split('\n').length
    text += `function ${prefix}${at}(bool c) pure returns (bool) {\nif (c) {\nreturn true;\n}\nreturn false;\n}\n`
    const line = bytes.subarray(0, start).toString().split('\n').length
    return { line, whenTrue: first + 2, whenFalse: first + 4 }
  })
  return { source: text, branches }
}

function conditionsOf(node: unknown): { readonly start: number; readonly end: number }[] {
  if (typeof node !== 'object' || node === null) return []
  const inner = Object.values(node).flatMap(conditionsOf)
  const { nodeType, condition } = node as SyntaxNode
  if (nodeType === undefined || !CHOICES.has(nodeType)) return inner
  const [start, length] = (condition?.src ?? '').split(':').map(Number)
  if (start === undefined || length === undefined) return inner // a loop without a condition
  return [...inner, { start, end: start + length }]
}
