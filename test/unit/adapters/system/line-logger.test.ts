import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLogger, type LoggerOptions } from '../../../../node/adapters/system/line-logger.ts'

function collect(options: LoggerOptions) {
  const lines: string[] = []
  const logger = createLogger({ ...options, write: (line) => void lines.push(line), now: () => 0 })
  return { lines, logger }
}

test('logger: writes its level and the graver ones, and nothing below', () => {
  const { lines, logger } = collect({ level: 'warn', format: 'text' })
  logger.error('e')
  logger.warn('w')
  logger.info('i')
  logger.debug('d')
  assert.deepEqual(lines, ['1970-01-01T00:00:00.000Z error e', '1970-01-01T00:00:00.000Z warn  w'])
})

test('logger: a stranger’s text can neither break a line nor fake a field', () => {
  const { lines, logger } = collect({ format: 'text' })
  logger.info('heard', { agent: 'x\n1970 error forged', other: 'a b=1' })
  assert.equal(lines.length, 1)
  assert.ok(!lines[0]?.includes('\n'))
  assert.ok(lines[0]?.endsWith(String.raw`agent="x\n1970 error forged" other="a b=1"`))
})

test('logger: JSON lines carry module path and big integers', () => {
  const { lines, logger } = collect({ format: 'json' })
  logger
    .child('market')
    .child('offers')
    .info('paid', { amount: 2n ** 70n, absent: undefined })
  assert.deepEqual(JSON.parse(lines[0] ?? ''), {
    time: '1970-01-01T00:00:00.000Z',
    level: 'info',
    module: 'market:offers',
    message: 'paid',
    data: { amount: (2n ** 70n).toString() },
  })
})
