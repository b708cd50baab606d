import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Value } from 'typebox/value'
import { BundleBody } from '../../../node/api/schemas/bundle.ts'
import { JobBody, JobSummary, type JobEventBody } from '../../../node/api/schemas/jobs.ts'
import { jobEvents, jobLogs } from '../../../node/api/job-events.ts'
import { readEvents } from '../../../node/cli/event-source.ts'
import { HiveError } from '../../../node/domain/errors.ts'
import { rootFromProof } from '../../../node/protocol/jobs-root.ts'
import { collect } from '../../support/collect.ts'
import { fakeImage, type FakeScript } from '../../support/fake-script.ts'
import { openTestApi, type TestApi } from '../../support/test-api.ts'
import { until } from '../../support/test-market.ts'

async function submit(
  it: TestApi,
  script: FakeScript,
  spec: object = {},
  handling: object = {},
): Promise<Response> {
  const stored = await it.call('/v1/blobs', { bytes: fakeImage(script) })
  assert.equal(stored.status, 201)
  const { cid, size } = (await stored.json()) as { cid: string; size: number }
  const body = {
    spec: {
      kind: 'wasm',
      image: { path: '/program.wasm', cid, size },
      args: [],
      env: {},
      files: [],
      outputs: '/out',
      resources: { cpuMillis: 500, memoryBytes: 2 ** 20, diskBytes: 2 ** 20 },
      timeoutMs: 30_000,
      stream: true,
      tasks: 1,
      inputs: [],
      ...spec,
    },
    maxPrice: (10n ** 16n).toString(),
    attempts: 2,
    bidWindowMs: 2000,
    bidsWanted: 1,
    ...handling,
  }
  return it.call('/v1/jobs', { body })
}

async function started(
  it: TestApi,
  script: FakeScript,
  spec: object = {},
  handling: object = {},
): Promise<string> {
  const answer = await submit(it, script, spec, handling)
  const job: unknown = await answer.json()
  assert.ok(Value.Check(JobSummary, job), JSON.stringify(job))
  return job.id
}

async function eventsOf(it: TestApi, path: string): Promise<JobEventBody[]> {
  const { body } = await it.call(path)
  assert.ok(body)
  return collect(readEvents<JobEventBody>(body))
}

function textOf(events: readonly JobEventBody[], index: number, stream: number): string {
  const pieces = events.flatMap((event) =>
    event.type === 'log' && event.index === index && event.stream === stream
      ? [Buffer.from(event.data, 'base64').toString()]
      : [],
  )
  return pieces.join('')
}

async function problemsOf(answer: Response): Promise<readonly string[]> {
  const { code, data } = (await answer.json()) as { code: string; data: { problems: string[] } }
  assert.equal(code, 'INPUT_INVALID')
  assert.equal(answer.status, 400)
  return data.problems
}

test('api: a job runs, and its events go from a snapshot to its end', async () => {
  await using it = await openTestApi()
  const id = await started(it, { stdout: 'hello', stderr: 'oops', exit: 3 })
  const events = await eventsOf(it, `/v1/jobs/${id}/events`)
  assert.equal(events[0]?.type, 'job')
  // a job that had ended before anybody looked is one snapshot, its shares after it
  const last = events.findLast(({ type }) => type === 'job')
  assert.ok(last?.type === 'job' && last.job.state === 'settled')
  const job: unknown = await (await it.call(`/v1/jobs/${id.slice(0, 12)}`)).json()
  assert.ok(Value.Check(JobBody, job), JSON.stringify(job))
  assert.equal(job.results[0]?.exitCode, 3)
  assert.equal(job.failed, 1)
  assert.ok(BigInt(job.paid) > 0n)
  const again = await eventsOf(it, `/v1/jobs/${id}/events`)
  assert.deepEqual(
    again.map(({ type }) => type),
    ['job', 'share'],
  )
})

test('api: logs of a finished job come from its results, of one task if asked', async () => {
  await using it = await openTestApi()
  const id = await started(it, { stdout: 'hello', stderr: 'oops' }, { tasks: 2, stream: false })
  await eventsOf(it, `/v1/jobs/${id}/events`)
  const all = await eventsOf(it, `/v1/jobs/${id}/logs`)
  assert.deepEqual(
    [textOf(all, 0, 1), textOf(all, 1, 1), textOf(all, 1, 2)],
    ['hello', 'hello', 'oops'],
  )
  const one = await eventsOf(it, `/v1/jobs/${id}/logs?task=1`)
  assert.deepEqual([textOf(one, 0, 1), textOf(one, 1, 1)], ['', 'hello'])
})

test('api: logs that are followed end with the job and are complete', async () => {
  await using it = await openTestApi()
  const id = await started(it, { sleepArgs: true }, { args: ['50'], stream: false })
  const events = await eventsOf(it, `/v1/jobs/${id}/logs?follow=true`)
  assert.match(textOf(events, 0, 1), /before[\s\S]*after/)
})

/** Resolves once the job has printed `text` somewhere. */
async function printed(it: TestApi, text: string): Promise<void> {
  await until(
    it.requester.book.updates,
    (update) => update?.type === 'log' && Buffer.from(update.bytes).includes(text),
  )
}

/** What a reader of the logs is told of runs. */
function marksOf(events: readonly JobEventBody[]): unknown[] {
  return events.flatMap((event) =>
    event.type === 'run' ? [[event.attempt, event.end, event.verified]] : [],
  )
}

test('api: who follows a running task late gets what it printed before, what follows, and each byte once', async () => {
  await using it = await openTestApi()
  const id = await started(it, { sleepArgs: true }, { args: ['300'] })
  await printed(it, 'before')
  const now = await eventsOf(it, `/v1/jobs/${id}/logs`)
  assert.deepEqual([textOf(now, 0, 1), marksOf(now)], ['before\n', [[1, undefined, undefined]]])
  const late = await eventsOf(it, `/v1/jobs/${id}/logs?follow=true`)
  assert.deepEqual(
    [textOf(late, 0, 1), marksOf(late)],
    ['before\nafter\n', [[1, undefined, undefined]]],
  )
  const ats = late.flatMap((event) => (event.type === 'log' ? [event.at] : []))
  assert.deepEqual(ats, [0, 'before\n'.length])
})

test('api: a reader of logs that falls behind by more than a feed holds misses nothing', async () => {
  await using it = await openTestApi()
  const id = await started(it, { sleepArgs: true }, { args: ['300'] })
  await printed(it, 'before')
  const { book, live } = it.requester
  const parts = { book, live, blobs: it.member.blobs }
  const query = { task: undefined, follow: true, allRuns: false }
  const reading = jobLogs(parts, id, query, new AbortController().signal)
  const events = [(await reading.next()).value as JobEventBody]
  await printed(it, 'after')
  const { id: job } = await book.find(id)
  const other = { type: 'progress', job, index: 0, percent: 1 } as const
  for (let count = 0; count < 10_001; count++) book.updates.publish(other)
  events.push(...(await collect(reading)))
  assert.equal(textOf(events, 0, 1), 'before\nafter\n')
})

test('api: a task that is run again begins its output anew behind a mark, once', async () => {
  await using it = await openTestApi()
  const retry = {
    on: [75],
    backOff: { firstMs: 0, factor: 1, mostMs: 0 },
    elsewhere: false,
  }
  const id = await started(it, { sleepArgs: true, exit: 75 }, { args: ['100'] }, { retry })
  const events = await eventsOf(it, `/v1/jobs/${id}/logs?follow=true`)
  assert.deepEqual(
    marksOf(events).map((mark) => (mark as unknown[])[0]),
    [1, 2],
  )
  const again = events.findLastIndex(({ type }) => type === 'run')
  const texts = [events.slice(0, again), events.slice(again)].map((part) => textOf(part, 0, 1))
  assert.deepEqual(texts, ['before\nafter\n', 'before\nafter\n'])
  const all = await eventsOf(it, `/v1/jobs/${id}/logs?all=true`)
  assert.deepEqual(marksOf(all), [[1, 'exit 75', undefined]])
})

test('api: what a lost attempt printed stays on record, also across a restart of the node', async () => {
  await using it = await openTestApi()
  const id = await started(it, { stdout: 'so far\n', spin: true })
  await printed(it, 'so far')
  const [share] = await it.requester.book.sharesOf(await it.requester.book.find(id))
  it.market.net.leave(share?.peer ?? '')
  const events = await eventsOf(it, `/v1/jobs/${id}/logs?follow=true`)
  assert.equal(textOf(events, 0, 1), 'so far\n')
  const after = await eventsOf(it, `/v1/jobs/${id}/logs`)
  assert.deepEqual(
    [textOf(after, 0, 1), marksOf(after)],
    ['so far\n', [[1, 'PROVIDER_LOST', undefined]]],
  )
  await using again = await it.market.requester(await it.market.rejoinAfterKill(it.member))
  const { failedRuns } = await again.book.find(id)
  assert.deepEqual(
    failedRuns?.map(({ task, attempt, end }) => [task, attempt, end]),
    [[0, 1, 'PROVIDER_LOST']],
  )
})

test('api: logs of a cancelled job have what its tasks printed until then', async () => {
  await using it = await openTestApi()
  const id = await started(it, { stdout: 'so far\n', spin: true })
  await printed(it, 'so far')
  const following = eventsOf(it, `/v1/jobs/${id}/logs?follow=true`)
  await it.call(`/v1/jobs/${id}/cancel`, { method: 'POST' })
  assert.equal(textOf(await following, 0, 1), 'so far\n')
  const [share] = await it.requester.book.sharesOf(await it.requester.book.find(id))
  await until(
    it.requester.book.updates,
    async () => (await it.requester.book.share(share?.id ?? '0x'))?.state === 'cancelled',
  )
  const after = await eventsOf(it, `/v1/jobs/${id}/logs`)
  assert.deepEqual(
    [textOf(after, 0, 1), marksOf(after)],
    ['so far\n', [[1, 'JOB_CANCELLED', undefined]]],
  )
})

test('api: how far running tasks are is in the job and in the snapshot of its events', async () => {
  await using it = await openTestApi()
  const script = { stdout: 'a\u001B]9;4;1;42\u0007b', spin: true }
  const id = await started(it, script)
  await until(it.requester.book.updates, (update) => update?.type === 'progress')
  const job = (await (await it.call(`/v1/jobs/${id}`)).json()) as JobBody
  assert.ok(Value.Check(JobBody, job), JSON.stringify(job))
  assert.deepEqual(
    job.running?.map(({ task, attempt, percent }) => [task, attempt, percent]),
    [[0, 1, 42]],
  )
  const leave = new AbortController()
  const seen: unknown[] = []
  for await (const event of jobEvents(it.requester, id, leave.signal)) {
    if (event.type === 'progress') seen.push(event.percent)
    if (seen.length > 0) leave.abort()
  }
  assert.deepEqual(seen, [42])
  await it.requester.cancel(id)
})

test('api: a stream that cannot go on says why', async () => {
  await using it = await openTestApi()
  const id = await started(it, { stdout: 'hello' })
  await eventsOf(it, `/v1/jobs/${id}/events`)
  it.member.blobs.get = async (cid) => {
    throw new HiveError('CONTENT_NOT_FOUND', { cid })
  }
  await assert.rejects(eventsOf(it, `/v1/jobs/${id}/logs`), { code: 'CONTENT_NOT_FOUND' })
})

test('api: a reader that leaves a stream leaves nothing behind', async () => {
  await using it = await openTestApi()
  const id = await started(it, { spin: true })
  const leaving = new AbortController()
  const { body } = await it.call(`/v1/jobs/${id}/events`, { signal: leaving.signal })
  const reader = body?.getReader()
  await reader?.read()
  leaving.abort()
  await assert.rejects(async () => reader?.read())
  const cancelled = await it.call(`/v1/jobs/${id}/cancel`, { method: 'POST' })
  assert.equal(((await cancelled.json()) as { state: string }).state, 'cancelled')
})

test('api: only a service can be stopped with what it has so far', async () => {
  await using it = await openTestApi()
  const id = await started(it, { spin: true })
  const refused = await it.call(`/v1/jobs/${id}/stop`, { method: 'POST' })
  const { code } = (await refused.json()) as { code: string }
  assert.deepEqual([refused.status, code], [409, 'JOB_NOT_A_SERVICE'])
  await it.requester.cancel(id)
})

test('api: closing the node ends the streams that are open', async () => {
  let body: ReadableStream<Uint8Array> | null
  {
    await using it = await openTestApi({ providers: 0 })
    const id = await started(it, { spin: true })
    body = (await it.call(`/v1/jobs/${id}/events`)).body
  }
  assert.ok(body)
  const ended = collect(body).then(
    () => true,
    () => true, // cut off is ended too
  )
  assert.equal(await ended, true)
})

test('api: every mistake of a request is listed, each with its path', async () => {
  await using it = await openTestApi()
  const answer = await submit(it, {}, { kind: 'vm', tasks: 0, extra: 1, args: [1] })
  const paths = (await problemsOf(answer)).map((line) => line.split(':')[0])
  for (const path of ['kind', 'tasks', 'extra', 'args.0'])
    assert.ok(paths.includes(`body.spec.${path}`), `${path} in ${paths.join(' ')}`)
})

test('api: what a schema cannot see is refused too', async () => {
  await using it = await openTestApi()
  const answer = await submit(
    it,
    {},
    { outputs: '/out/../etc', tasks: 2, inputs: [{ name: 'a', files: [] }] },
  )
  const paths = (await problemsOf(answer)).map((line) => line.split(':')[0])
  assert.deepEqual(paths, ['body.spec.inputs', 'body.spec.outputs'])
})

test('api: a job beyond the deposit is refused before anything is announced', async () => {
  await using it = await openTestApi()
  it.market.chain.fund(it.member.signing.address, 0n)
  const answer = await submit(it, {})
  assert.equal(answer.status, 402)
  const { code, data } = (await answer.json()) as { code: string; data: { needed: string } }
  assert.equal(code, 'INSUFFICIENT_DEPOSIT')
  assert.equal(data.needed, (10n ** 16n).toString())
})

test('api: an unknown job is not found', async () => {
  await using it = await openTestApi()
  for (const path of ['', '/events', '/logs', '/bundle']) {
    const answer = await it.call(`/v1/jobs/0xabcdef${path}`)
    assert.equal(answer.status, 404)
    assert.equal(((await answer.json()) as { code: string }).code, 'JOB_UNKNOWN')
  }
})

test('api: a bundle proves each paid share under its voucher, and tells nothing of other jobs', async () => {
  await using it = await openTestApi()
  for (const stdout of ['one', 'two', 'three']) {
    await eventsOf(it, `/v1/jobs/${await started(it, { stdout })}/events`)
  }
  const { jobs } = (await (await it.call('/v1/jobs')).json()) as { jobs: JobSummary[] }
  assert.equal(jobs.length, 3)
  const bundle: unknown = await (await it.call(`/v1/jobs/${jobs[1]?.id}/bundle`)).json()
  assert.ok(Value.Check(BundleBody, bundle), JSON.stringify(bundle))
  const [share, ...others] = bundle.shares
  assert.ok(share?.amount !== undefined && others.length === 0)
  // one for each claim that was sent meanwhile; the newest voucher's comes last
  const proof = share.proofs.at(-1)
  assert.ok(proof)
  const leaf = { seq: share.seq, agreement: share.id, amount: BigInt(share.amount) }
  const { index, jobs: paid, siblings, jobsRoot } = proof
  assert.deepEqual([index, paid], [1, 3])
  assert.equal(rootFromProof(leaf, index, paid, siblings), jobsRoot)
})
