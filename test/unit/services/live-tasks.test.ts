import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '../../../node/adapters/system/system-clock.ts'
import { Feed } from '../../../node/services/feed.ts'
import type { JobUpdate } from '../../../node/services/requester/job-book.ts'
import { KeptOutput, MAX_KEPT_OUTPUT_BYTES } from '../../../node/services/requester/kept-output.ts'
import { LiveTasks, MAX_LIVE_OUTPUT_BYTES } from '../../../node/services/requester/live-tasks.ts'
import type { ShareRecord } from '../../../node/services/requester/records.ts'

const bytes = (text: string) => new TextEncoder().encode(text)
const NOTHING = { 1: 0, 2: 0 }

function textOf(output: KeptOutput, offsets = NOTHING): string {
  return output
    .after(offsets)
    .map(({ stream, at, bytes: piece }) => `${stream}@${at}:${new TextDecoder().decode(piece)}`)
    .join(' ')
}

function live(): LiveTasks {
  return new LiveTasks({ clock: systemClock, book: { updates: new Feed<JobUpdate>() } })
}

function aShare(id: string, tasks: readonly number[], attempt = 1): ShareRecord {
  return { id, job: '0xj', tasks, attempt, provider: '0xp' } as unknown as ShareRecord
}

test('kept output: in the order in which it came, and from any offset on', () => {
  const output = new KeptOutput()
  output.add(1, bytes('ab'))
  output.add(2, bytes('x'))
  output.add(1, bytes('cd'))
  assert.equal(textOf(output), '1@0:ab 2@0:x 1@2:cd')
  assert.equal(textOf(output, { 1: 3, 2: 1 }), '1@3:d')
  assert.equal(new TextDecoder().decode(output.tail(1, 3)), 'bcd')
})

test('kept output: the oldest goes first, and its size is bounded however small its pieces are', () => {
  const output = new KeptOutput()
  for (let count = 0; count < 20_000; count++) output.add(count % 2 === 0 ? 1 : 2, bytes('y'))
  assert.ok(output.bytes <= MAX_KEPT_OUTPUT_BYTES)
  assert.deepEqual(output.told, { 1: 10_000, 2: 10_000 })
  const [first] = output.after(NOTHING)
  assert.ok((first?.at ?? 0) > 0)
  assert.ok(output.after(NOTHING).length * 256 <= MAX_KEPT_OUTPUT_BYTES)
})

test('live tasks: of all output together no more is kept than fits, the quietest task loses first', () => {
  const tasks = live()
  const many = Array.from({ length: 80 }, (_, index) => index)
  const share = aShare('0xa', many)
  const piece = new Uint8Array(MAX_KEPT_OUTPUT_BYTES - 300)
  for (const task of many) tasks.printed(share, task, 1, piece)
  const kept = many.map((task) => tasks.of('0xj', task)[0]?.output.bytes ?? 0)
  assert.ok(kept.reduce((sum, size) => sum + size, 0) <= MAX_LIVE_OUTPUT_BYTES)
  assert.deepEqual([kept[0], (kept.at(-1) ?? 0) > 0], [0, true])
  tasks.forget(share)
  assert.deepEqual(tasks.running('0xj'), [])
})

test('live tasks: a task that is begun anew by its provider has runs of its own, a few of them', () => {
  const tasks = live()
  const share = aShare('0xa', [3])
  for (let count = 0; count < 10; count++) {
    tasks.began(share, 3, false)
    tasks.printed(share, 3, 1, bytes(String(count)))
  }
  tasks.began(share, 3, true)
  const runs = tasks.of('0xj', 3)
  assert.deepEqual(
    runs.map(({ output }) => textOf(output)),
    ['1@0:6', '1@0:7', '1@0:8', '1@0:9'],
  )
  assert.equal(new Set(runs.map(({ key }) => key)).size, runs.length)
})

test('live tasks: what a share tells of tasks that are not its own is not kept', () => {
  const tasks = live()
  const share = aShare('0xa', [3])
  tasks.began(share, 4, false)
  tasks.reached(share, 4, 50)
  tasks.printed(share, 4, 1, bytes('x'))
  assert.deepEqual(tasks.of('0xj', 4), [])
})

test('live tasks: a share that is told anew is forgotten, others of the same task are not', () => {
  const tasks = live()
  const [first, next] = [aShare('0xa', [0]), aShare('0xb', [0], 2)]
  tasks.printed(first, 0, 1, bytes('first'))
  tasks.printed(next, 0, 1, bytes('next'))
  tasks.forget(first)
  assert.deepEqual(
    tasks.of('0xj', 0).map(({ attempt, output }) => [attempt, textOf(output)]),
    [[2, '1@0:next']],
  )
})
