/**
 * A name as an advert carries it: printable ASCII on one line, at most `maxChars`. Quotes and backslashes
 * become spaces as well, so that a character in JSON is a byte.
 */
export function printable(raw: string, maxChars: number): string {
  return raw
    .replace(/[^ -~]|["\\]/g, ' ')
    .replace(/ +/g, ' ')
    .trim()
    .slice(0, maxChars)
    .trimEnd()
}
