import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JobEventBody } from '../../../node/api/schemas/jobs.ts'
import type { WorkBody, WorkListBody } from '../../../node/api/schemas/money.ts'
import { readEvents } from '../../../node/cli/event-source.ts'
import { openTestApi, type TestApi } from '../../support/test-api.ts'
import { testCli } from '../../support/test-cli.ts'
import { aRequest, finished, started } from '../../support/test-market.ts'

const { signal } = new AbortController()

/** Starts two tasks on the node itself that print `before`, sleep, and print `after`, without sending any of it. */
async function begin(it: TestApi, sleepMs: number) {
  const spec = { args: [String(sleepMs)], stream: false, tasks: 2 }
  const request = await aRequest(it.member, { sleepArgs: true }, { spec })
  const { id } = await it.requester.submit(request, signal)
  await started(it.requester)
  const { works } = (await (await it.call('/v1/work')).json()) as WorkListBody
  return { id, share: works[0]?.id ?? '' }
}

test('api: logs of a share are followed until it has ended, whether they are sent or not; its id may be a start', async () => {
  await using it = await openTestApi({ providers: 0, isProvider: true })
  const { id, share } = await begin(it, 200)
  const { body } = await it.call(`/v1/work/${share.slice(0, 10)}/logs?follow=true&task=1`)
  assert.ok(body)
  let text = ''
  for await (const event of readEvents<JobEventBody>(body)) {
    assert.ok(event.type === 'log' && event.index === 1 && event.stream === 1)
    text += Buffer.from(event.data, 'base64').toString()
  }
  assert.equal(text, 'before\nafter\n')
  await finished(it.requester, id)
  const work = (await (await it.call(`/v1/work/${share.slice(0, 10)}`)).json()) as WorkBody
  assert.equal(work.id, share)
})

test('api: logs of a share that this node does not know, or of a node that runs none, are AGREEMENT_UNKNOWN', async () => {
  await using it = await openTestApi({ providers: 0, isProvider: true })
  await using other = await openTestApi({ providers: 0 })
  for (const each of [it, other]) {
    const answer = await each.call('/v1/work/0xabcd/logs')
    assert.equal(((await answer.json()) as { code: string }).code, 'AGREEMENT_UNKNOWN')
  }
  assert.equal((await it.call('/v1/work/0xabcd/logs?follow=maybe')).status, 400)
  assert.equal((await it.call('/v1/work/abcd/logs')).status, 400)
})

test('cli: logs --work prints what a share has printed, by the start of its id, and follows it', async () => {
  await using it = await openTestApi({ providers: 0, isProvider: true })
  const { id, share } = await begin(it, 200)
  const hive = testCli({ dataDir: it.dataDir })
  assert.equal(await hive.run('logs', '--work', share.slice(0, 10), '--task', '0', '--follow'), 0)
  assert.equal(hive.stdout.text, 'before\nafter\n')
  await finished(it.requester, id)
  const later = testCli({ dataDir: it.dataDir })
  assert.equal(await later.run('logs', '--work', share.slice(0, 10)), 0)
  assert.equal(later.stdout.text, 'before\nafter\nbefore\nafter\n')
  assert.equal(await later.run('logs', '--work', '0xffff'), 1)
  assert.match(later.stderr.text, /AGREEMENT_UNKNOWN/)
})
