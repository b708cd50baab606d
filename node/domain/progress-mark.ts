const ESC = '\u001B'
const BEL = '\u0007'
/**
 * How a program says how far it is: the sequence OSC 9 ; 4 ; 1 ; PERCENT, ended by BEL or ST, which many
 * terminals show on their title or task bar. It stays part of the output.
 */
const PROGRESS_MARK = new RegExp(
  String.raw`${ESC}\]9;4;(\d)(?:;(\d{1,3}))?(?:${BEL}|${ESC}\\)`,
  'g',
)
/** The beginning of a mark at the end of a text. */
const BEGUN = new RegExp(
  String.raw`${ESC}(?:\](?:9(?:;(?:4(?:;(?:\d(?:;(?:\d{1,3}${ESC}?)?)?${ESC}?)?)?)?)?)?)?$`,
)

/** The text without marks; `rest` may be the beginning of one that goes on in the next piece. */
export function withoutMarks(text: string): { readonly text: string; readonly rest: string } {
  const clean = text.replace(PROGRESS_MARK, '')
  const rest = BEGUN.exec(clean)?.[0] ?? ''
  return { text: clean.slice(0, clean.length - rest.length), rest }
}

/** Finds marks in one stream of a task, also those cut in two by the pieces that the stream comes in. */
export class ProgressReader {
  readonly #decoder = new TextDecoder('latin1')
  #rest = ''
  #highest = -1

  /** The percentage, 0 to 100, that this piece has brought the task to; `undefined` where it is none beyond before. */
  push(bytes: Uint8Array): number | undefined {
    if (this.#rest === '' && !bytes.includes(ESC.charCodeAt(0))) return undefined
    const text = this.#rest + this.#decoder.decode(bytes)
    this.#rest = BEGUN.exec(text)?.[0] ?? ''
    const before = this.#highest
    for (const [, state, percent] of text.matchAll(PROGRESS_MARK)) {
      if (state !== '1' || percent === undefined || Number(percent) > 100) continue
      // only upwards, so that a task is heard of it a hundred times at most
      this.#highest = Math.max(this.#highest, Number(percent))
    }
    return this.#highest > before ? this.#highest : undefined
  }
}
