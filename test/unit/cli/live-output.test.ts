import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TaskResultBody } from '../../../node/api/schemas/jobs.ts'
import { LiveOutput } from '../../../node/cli/job/live-output.ts'
import { CapturedOutput } from '../../support/test-cli.ts'

const log = (text: string) =>
  ({ type: 'log', index: 0, stream: 1, at: 0, data: Buffer.from(text).toString('base64') }) as const

async function finish(live: LiveOutput, text: string): Promise<void> {
  const file = (size: number) => ({ path: '/stdout', cid: 'c', size })
  const usage = { wallMs: 0, cpuMs: 0, peakMemoryBytes: 0, bytesIn: 0, bytesOut: 0 }
  const result: TaskResultBody = {
    index: 0,
    reason: 'exit',
    exitCode: 0,
    detail: '',
    stdout: file(text.length),
    stderr: file(0),
    files: [],
    usage,
  }
  await live.finish(result, async () => Buffer.from(text))
}

function open() {
  const stdout = new CapturedOutput()
  const stderr = new CapturedOutput()
  return { stdout, stderr, live: new LiveOutput(stdout, stderr) }
}

test('live output: what the stream missed at its end is added from the result', async () => {
  const { stdout, stderr, live } = open()
  await live.take(log('one '))
  await finish(live, 'one two')
  assert.equal(stdout.text, 'one two')
  assert.equal(stderr.text, '')
})

test('live output: a second attempt goes on where the first one stopped', async () => {
  const { stdout, live } = open()
  await live.take(log('one tw'))
  live.restart()
  for (const piece of ['on', 'e two thr', 'ee']) await live.take(log(piece))
  await finish(live, 'one two three')
  assert.equal(stdout.text, 'one two three')
})

test('live output: an attempt that was not accepted is followed by the verified output, and says so', async () => {
  const { stdout, stderr, live } = open()
  await live.take(log('lies'))
  await finish(live, 'the truth')
  assert.equal(stdout.text, 'liesthe truth')
  assert.match(stderr.text, /verified output follows/)
})

test('live output: nothing streamed is all from the result', async () => {
  const { stdout, live } = open()
  await finish(live, 'quiet')
  assert.equal(stdout.text, 'quiet')
})

test('live output: on a terminal a job’s controls are shown, not obeyed; piped, every byte goes through', async () => {
  const hostile = 'a\x1b]0;title\x07\x1b[2Jb\rc\r\n\u009b31m\u202eé\tend\n'
  const print = async (stdout: CapturedOutput) => {
    const live = new LiveOutput(stdout, new CapturedOutput())
    // in pieces of one byte each: neither a character nor a line end may be seen apart
    for (const byte of Buffer.from(hostile))
      await live.take({ ...log(''), data: Buffer.of(byte).toString('base64') })
    return stdout.text
  }
  assert.equal(
    await print(new CapturedOutput(true)),
    'a^[]0;title^G^[[2Jb^Mc\n<U+009B>31m<U+202E>é\tend\n',
  )
  assert.equal(await print(new CapturedOutput(false)), hostile)
})
