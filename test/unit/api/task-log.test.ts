import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '../../../node/adapters/system/system-clock.ts'
import type { JobEventBody } from '../../../node/api/schemas/jobs.ts'
import { TaskLog } from '../../../node/api/task-log.ts'
import { Feed } from '../../../node/services/feed.ts'
import type { JobUpdate } from '../../../node/services/requester/job-book.ts'
import { LiveTasks } from '../../../node/services/requester/live-tasks.ts'
import type { JobRecord, ShareRecord } from '../../../node/services/requester/records.ts'
import { collect } from '../../support/collect.ts'
import { FakeBlobs } from '../../support/fake-blobs.ts'

const { signal } = new AbortController()
const SHARE = { id: '0xa', job: '0xj', tasks: [0], attempt: 1 } as unknown as ShareRecord

/** What a reader has got that was there while the task printed `live`, and then its result came. */
async function sent(live: string, stdout: string): Promise<readonly (string | true)[]> {
  const blobs = new FakeBlobs(new Map(), 'p')
  const tasks = new LiveTasks({ clock: systemClock, book: { updates: new Feed<JobUpdate>() } })
  const log = new TaskLog({ blobs, live: tasks }, 0, false)
  const file = async (text: string) => {
    const bytes = new TextEncoder().encode(text)
    return { cid: await blobs.add(bytes), size: bytes.byteLength }
  }
  tasks.printed(SHARE, 0, 1, new TextEncoder().encode(live))
  const running = { id: '0xj', results: [null] } as unknown as JobRecord
  const events = await collect(log.rest(running, signal))
  const result = { index: 0, stdout: await file(stdout), stderr: await file('') }
  const done = { id: '0xj', results: [result] } as unknown as JobRecord
  events.push(...(await collect(log.rest(done, signal))))
  events.push(...(await collect(log.rest(done, signal))))
  return events.flatMap(textOf)
}

function textOf(event: JobEventBody): (string | true)[] {
  if (event.type === 'log') return [Buffer.from(event.data, 'base64').toString()]
  return event.type === 'run' && event.verified === true ? [true] : []
}

test('task log: what did not come live is added from the result by its offset, once', async () => {
  assert.deepEqual(await sent('one ', 'one two'), ['one ', 'two'])
  assert.deepEqual(await sent('one', 'one'), ['one'])
})

test('task log: a provider that told something else than its result is found out, and the result follows whole', async () => {
  assert.deepEqual(await sent('lies', 'truth'), ['lies', true, 'truth'])
  assert.deepEqual(await sent('too long', 'too'), ['too long', true, 'too'])
})
