/** Hits of each line that has code, by file. */
export type LineHits = ReadonlyMap<string, ReadonlyMap<number, number>>

/** Reads lcov texts and adds their hits up. */
export function readLcov(...texts: readonly string[]): LineHits {
  const files = new Map<string, Map<number, number>>()
  let lines = new Map<number, number>()
  for (const row of texts.flatMap((text) => text.split('\n'))) {
    const [, file] = /^SF:(.+)$/.exec(row) ?? []
    if (file !== undefined) {
      lines = files.get(file) ?? new Map<number, number>()
      files.set(file, lines)
    }
    const [, line, hits] = /^DA:(\d+),(\d+)/.exec(row) ?? []
    if (line !== undefined) lines.set(Number(line), (lines.get(Number(line)) ?? 0) + Number(hits))
  }
  return files
}
