/** Hits of each line that has code, by file. */
export type LineHits = ReadonlyMap<string, ReadonlyMap<number, number>>

/** Reads an lcov text; hits of a file that stands in it more than once add up. */
export function readLcov(text: string): LineHits {
  const files = new Map<string, Map<number, number>>()
  let lines = new Map<number, number>()
  for (const row of text.split('\n')) {
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
