import { withoutMarks } from '../../domain/progress-mark.ts'
import type { Output } from '../parts.ts'

/** Controls beyond line feed and tab, and the marks that reorder text: what could steer or deceive. */
const STEERING = /(?![\n\t])[\p{Cc}\u{202A}-\u{202E}\u{2066}-\u{2069}]/gu

/**
 * Where a job's own bytes are printed. On a terminal, controls are shown instead of obeyed, since a
 * stranger's program may have written them; into a file or a pipe every byte goes as it is.
 */
export function jobOutput(output: Output): Output {
  if (output.isTTY !== true) return output
  // a character may be cut in two by the pieces that it comes in
  const decoder = new TextDecoder()
  let afterReturn = ''
  let begunMark = ''
  return {
    write: (chunk, done) => {
      const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk
      const read = afterReturn + begunMark + decoder.decode(bytes, { stream: true })
      // how far the program is, this command says in its own words
      const { text, rest } = withoutMarks(read)
      begunMark = rest
      // whether a return at the end belongs to a line feed shows with the next piece
      afterReturn = text.endsWith('\r') ? '\r' : ''
      const whole = text.slice(0, text.length - afterReturn.length)
      output.write(whole.replaceAll('\r\n', '\n').replace(STEERING, shown), done)
    },
    isTTY: true,
  }
}

/** A control as people write it: `^[` for escape, `<U+202E>` for others. */
function shown(control: string): string {
  const code = control.codePointAt(0) ?? 0
  if (code < 0x20 || code === 0x7f) return `^${String.fromCharCode(code ^ 0x40)}`
  return `<U+${code.toString(16).toUpperCase().padStart(4, '0')}>`
}
