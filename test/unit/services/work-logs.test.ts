import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chained } from '../../../node/protocol/output-chain.ts'
import { ZERO_BYTES32 } from '../../../node/domain/ids.ts'
import type { ShareEvent } from '../../../node/protocol/share-events.ts'
import { ShareLog } from '../../../node/services/provider/share-log.ts'
import { ManualClock } from '../../support/manual-clock.ts'

const { signal } = new AbortController()
const textOf = (bytes: Uint8Array) => Buffer.from(bytes).toString()

/** Follows a log as `clock` goes; the output that was told. */
function follow(log: ShareLog, clock: ManualClock): string[] {
  const told: string[] = []
  void (async () => {
    for await (const event of log.read(0, clock, signal))
      if (event.type === 'log') told.push(`${event.stream} ${textOf(event.bytes)}`)
  })()
  return told
}

test('work logs: what tasks have printed is there to see, and looking does not count as following', async () => {
  const log = new ShareLog()
  log.add({ type: 'started', index: 0 })
  log.addOutput(0, 1, Buffer.from('out'))
  log.addOutput(1, 2, Buffer.from('err'))
  let followed = false
  void log.followed.then(() => (followed = true))
  const said = log.printed().map(({ index, stream, bytes }) => [index, stream, textOf(bytes)])
  assert.deepEqual(said, [
    [0, 1, 'out'],
    [1, 2, 'err'],
  ])
  await Promise.resolve()
  assert.equal(followed, false)
})

test('work logs: the first output is told at once, and what comes shortly after it as one piece', async () => {
  const log = new ShareLog()
  const clock = new ManualClock()
  const told = follow(log, clock)
  const print = (stream: number, text: string) => log.addOutput(0, stream, Buffer.from(text))
  print(1, 'a')
  await clock.advance(0)
  assert.deepEqual(told, ['1 a'])
  for (const text of ['b', 'c']) print(1, text)
  await clock.advance(20)
  print(1, 'd')
  assert.deepEqual(told, ['1 a'])
  await clock.advance(30)
  assert.deepEqual(told, ['1 a', '1 bcd'])
  // the order of the two streams stays as it was
  for (const stream of [1, 2, 1]) print(stream, 'x')
  await clock.advance(100)
  assert.deepEqual(told.slice(2), ['1 x', '2 x', '1 x'])
})

test('work logs: an event is told after the output before it, and the chain over the output is the follower’s', async () => {
  const log = new ShareLog()
  for (const text of ['a', 'b']) log.addOutput(0, 1, Buffer.from(text))
  const { digest } = log
  log.addOutput(0, 1, Buffer.from('c'))
  log.add({ type: 'failed', code: 'INTERNAL' })
  const events: ShareEvent[] = []
  for await (const event of log.read(0, new ManualClock(), signal)) events.push(event)
  const said = events.map((event) => (event.type === 'log' ? textOf(event.bytes) : event.type))
  assert.deepEqual(said, ['ab', 'c', 'failed'])
  assert.equal(digest, chained(ZERO_BYTES32, Buffer.from('ab')))
  assert.equal(log.digest, chained(digest, Buffer.from('c')))
})

test('work logs: a task that prints by the byte fills its room with far fewer pieces than bytes', () => {
  const log = new ShareLog()
  for (let turn = 0; turn < 200_000; turn++) log.addOutput(0, 1 + (turn % 2), Buffer.of(120))
  const pieces = log.printed().length
  assert.ok(pieces <= 65_536, `${pieces} pieces are kept`)
})
