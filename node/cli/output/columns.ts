import { stripVTControlCharacters } from 'node:util'

/** Rows under aligned headings; the last column is never padded. */
export function columns(
  headings: readonly string[],
  rows: readonly (readonly string[])[],
): string[] {
  const all = [headings, ...rows]
  const widths = headings.map((_, at) => Math.max(...all.map((row) => widthOf(row[at]))))
  return all.map((row) =>
    row
      .map((cell, at) => (at === row.length - 1 ? cell : pad(cell, widths[at] ?? 0)))
      .join('  ')
      .trimEnd(),
  )
}

/** Names and values, one pair a line, values aligned; pairs without a value are left out. */
export function pairs(entries: readonly (readonly [string, string | undefined])[]): string[] {
  const shown = entries.filter((entry): entry is readonly [string, string] => Boolean(entry[1]))
  const width = Math.max(0, ...shown.map(([name]) => name.length))
  return shown.map(([name, value]) => `${name.padEnd(width)}  ${value}`)
}

function pad(cell: string, width: number): string {
  return cell + ' '.repeat(Math.max(0, width - widthOf(cell)))
}

function widthOf(cell: string | undefined): number {
  return stripVTControlCharacters(cell ?? '').length
}
