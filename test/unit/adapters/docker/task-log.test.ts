import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isTaskLog, TASK_LOG, wholeLog } from '../../../../node/adapters/docker/task-log.ts'

/** The engine's answer for these lines, `[stream, text]`. */
function answer(...lines: readonly (readonly [number, string])[]): Buffer {
  return Buffer.concat(
    lines.map(([stream, text]) => {
      const frame = Buffer.alloc(8 + text.length)
      frame[0] = stream
      frame.writeUInt32BE(text.length, 4)
      frame.write(text, 8, 'latin1')
      return frame
    }),
  )
}

const textsOf = (log: Buffer) => wholeLog(log)?.map(({ stream, bytes }) => [stream, String(bytes)])

test('a log of whole lines is taken apart; the last line of each stream may be open', () => {
  const log = answer([1, 'a\n'], [2, 'warn'], [1, '\n'], [1, 'b'])
  assert.deepEqual(textsOf(log), [
    [1, 'a\n'],
    [2, 'warn'],
    [1, '\n'],
    [1, 'b'],
  ])
  assert.deepEqual(textsOf(Buffer.alloc(0)), [])
})

test('something after an open line: where that line ended is not known, so nothing is told', () => {
  assert.equal(wholeLog(answer([1, 'x'.repeat(16_384)], [1, 'rest'])), undefined)
  assert.equal(wholeLog(answer([1, 'x'.repeat(16_384)], [2, 'y\n'], [1, '\n'])), undefined)
})

test('as much as one file of the engine holds: earlier files may be gone, so nothing is told', () => {
  const line = [1, `${'x'.repeat(9999)}\n`] as const
  const lines = (count: number) => answer(...Array.from({ length: count }, () => line))
  const fileBytes = Number(TASK_LOG.Config['max-size'])
  const perLine = 10_000 + 32
  assert.equal(wholeLog(lines(Math.floor(fileBytes / perLine)))?.length, 3344)
  assert.equal(wholeLog(lines(Math.floor(fileBytes / perLine) + 1)), undefined)
})

test('only a log of our own making is judged', () => {
  assert.equal(isTaskLog(TASK_LOG), true)
  assert.equal(isTaskLog({ Type: 'json-file', Config: TASK_LOG.Config }), false)
  assert.equal(isTaskLog({ Type: 'local', Config: { 'max-size': '1m', 'max-file': '1' } }), false)
  assert.equal(isTaskLog(undefined), false)
})
