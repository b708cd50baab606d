import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JobEventBody } from '../../../node/api/schemas/jobs.ts'
import { LogPrinter } from '../../../node/cli/job/log-printer.ts'
import { CapturedOutput } from '../../support/test-cli.ts'

const log = (text: string, at: number, stream = 1): JobEventBody => ({
  type: 'log',
  index: 0,
  stream,
  at,
  data: Buffer.from(text).toString('base64'),
})
const run = (changes: object): JobEventBody => ({
  type: 'run',
  index: 0,
  attempt: 1,
  provider: '0x1234567890',
  ...changes,
})

async function printed(events: readonly JobEventBody[]): Promise<readonly [string, string]> {
  const [stdout, stderr] = [new CapturedOutput(), new CapturedOutput()]
  const printer = new LogPrinter(stdout, stderr)
  for (const event of events) await printer.take(event)
  return [stdout.text, stderr.text]
}

test('logs: of a task that runs once nothing is said but what it printed', async () => {
  assert.deepEqual(await printed([run({}), log('a', 0), log('b', 1)]), ['ab', ''])
})

test('logs: a further run, why an earlier one brought nothing, and what is missing are told apart from the output', async () => {
  const [stdout, stderr] = await printed([
    run({ end: 'PROVIDER_LOST' }),
    log('tail', 2048),
    run({ attempt: 2 }),
    log('all', 0),
    { type: 'run', index: 0, verified: true },
    log('truth', 0),
  ])
  assert.equal(stdout, 'tailalltruth')
  const lines = stderr.trimEnd().split('\n')
  assert.match(lines[0] ?? '', /task 0: PROVIDER_LOST, attempt 1 at 0x1234/)
  assert.match(lines[1] ?? '', /2.0 KiB of stdout before this/)
  assert.match(lines[2] ?? '', /begins anew, attempt 2/)
  assert.match(lines[3] ?? '', /the verified one follows/)
  assert.equal(lines.length, 4)
})
