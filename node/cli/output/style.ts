import type { Output } from '../parts.ts'

/** Ways to set words off; each leaves them as they are where colour is not wanted. */
export interface Style {
  readonly bold: (text: string) => string
  readonly dim: (text: string) => string
  readonly good: (text: string) => string
  readonly bad: (text: string) => string
  readonly warn: (text: string) => string
}

/** Colours on a terminal, unless NO_COLOR is set; plain text everywhere else. */
export function styleFor(output: Output, noColor: boolean): Style {
  const coloured = output.isTTY === true && !noColor
  const wrap = (on: number, off: number) => (text: string) =>
    coloured ? `\u001B[${on}m${text}\u001B[${off}m` : text
  return {
    bold: wrap(1, 22),
    dim: wrap(2, 22),
    good: wrap(32, 39),
    bad: wrap(31, 39),
    warn: wrap(33, 39),
  }
}
