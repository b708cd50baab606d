import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ProgressReader, withoutMarks } from '../../../node/domain/progress-mark.ts'

const mark = (percent: number | string, end = '\u0007') => `\u001B]9;4;1;${percent}${end}`
const bytes = (text: string) => new TextEncoder().encode(text)

test('a program that says how far it is, is heard; the same or less again is no news', () => {
  const reader = new ProgressReader()
  assert.equal(reader.push(bytes(`half ${mark(50)} way`)), 50)
  assert.equal(reader.push(bytes(mark(50))), undefined)
  assert.equal(reader.push(bytes(mark(7))), undefined)
  assert.equal(reader.push(bytes(mark(51) + mark(100, '\u001B\\'))), 100)
})

test('what is no percentage, or another state than a value, is not', () => {
  const reader = new ProgressReader()
  for (const text of [mark(101), mark(''), mark(-1), '\u001B]9;4;3\u0007', '\u001B]9;5;1;5\u0007'])
    assert.equal(reader.push(bytes(text)), undefined, JSON.stringify(text))
})

test('however a stream is cut into pieces, the same is heard and the same is shown', () => {
  const part = fc.oneof(
    fc.constantFrom(mark(1), mark(42), mark(99, '\u001B\\'), '\u001B', '\u001B]9;', '\u001B[31m'),
    fc.string({ unit: 'grapheme-ascii', maxLength: 6 }),
  )
  fc.assert(
    fc.property(fc.array(part, { maxLength: 8 }), fc.array(fc.nat(60)), (parts, cuts) => {
      const whole = parts.join('')
      const places = [0, ...cuts.map((cut) => Math.min(cut, whole.length)), whole.length]
      const edges = places.sort((a, b) => a - b)
      const pieces = edges.slice(1).map((edge, at) => whole.slice(edges[at], edge))
      const [once, cut] = [new ProgressReader(), new ProgressReader()]
      const heard = pieces
        .map((piece) => cut.push(bytes(piece)))
        .filter((each) => each !== undefined)
      assert.equal(heard.at(-1), once.push(bytes(whole)))
      let rest = ''
      let shown = ''
      for (const piece of pieces) {
        const read = withoutMarks(rest + piece)
        shown += read.text
        rest = read.rest
      }
      const all = withoutMarks(whole)
      assert.equal(shown + rest, all.text + all.rest)
    }),
  )
})
