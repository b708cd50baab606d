/** Writes the demo's story: finished lines stay, the live line is redrawn on a terminal only. */
export class Screen {
  readonly #out: NodeJS.WriteStream
  readonly #began = performance.now()
  #live = ''

  constructor(out: NodeJS.WriteStream) {
    this.#out = out
  }

  /** Seconds since the screen was made. */
  get seconds(): number {
    return (performance.now() - this.#began) / 1000
  }

  title(text: string): void {
    this.line('')
    this.line(this.#style('1', text))
  }

  /** A line of the story, with the time it happened. */
  step(text: string): void {
    this.line(`${this.#style('2', this.seconds.toFixed(1).padStart(6))}  ${text}`)
  }

  line(text: string): void {
    this.#clear()
    this.#out.write(`${text}\n`)
    this.#live = ''
  }

  /** What is going on right now; without a terminal only changes of it are printed. */
  live(text: string): void {
    if (text === this.#live) return
    if (this.#out.isTTY) {
      this.#clear()
      this.#out.write(`${this.#style('2', this.seconds.toFixed(1).padStart(6))}  ${text}`)
    } else this.#out.write(`${this.seconds.toFixed(1).padStart(6)}  ${text}\n`)
    this.#live = text
  }

  /** Columns, the first left-aligned, the others right-aligned. */
  table(rows: readonly (readonly string[])[]): void {
    const widths = (rows[0] ?? []).map((_, at) =>
      Math.max(...rows.map((row) => row[at]?.length ?? 0)),
    )
    for (const row of rows) {
      const cells = row.map((cell, at) =>
        at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0),
      )
      this.line(`        ${cells.join('   ')}`)
    }
  }

  #clear(): void {
    if (this.#out.isTTY && this.#live !== '') this.#out.write('\r\u{1b}[2K')
  }

  #style(code: string, text: string): string {
    return this.#out.isTTY ? `\u{1b}[${code}m${text}\u{1b}[0m` : text
  }
}
