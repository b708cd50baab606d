import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Value } from 'typebox/value'
import { WorkflowBody, type WorkflowSubmissionBody } from '../../../node/api/schemas/workflows.ts'
import { readEvents } from '../../../node/cli/event-source.ts'
import { collect } from '../../support/collect.ts'
import { fakeImage, type FakeScript } from '../../support/fake-script.ts'
import { openTestApi, type TestApi } from '../../support/test-api.ts'

type Step = WorkflowSubmissionBody['steps'][number]

async function aStep(it: TestApi, name: string, script: FakeScript, how: Partial<Step> = {}) {
  const stored = await it.call('/v1/blobs', { bytes: fakeImage(script) })
  const { cid, size } = (await stored.json()) as { cid: string; size: number }
  const request: Step['request'] = {
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
    },
    maxPrice: (10n ** 16n).toString(),
    attempts: 2,
    bidWindowMs: 2000,
    bidsWanted: 1,
  }
  return { name, needs: [], inputs: [], request, ...how }
}

test('api: a workflow is started, watched to its end and found with its steps', async () => {
  await using it = await openTestApi()
  const input = { path: '/in/x', from: 'a', output: 'stdout' }
  const steps = [
    await aStep(it, 'a', { stdout: 'x' }),
    await aStep(it, 'b', { exit: 1 }, { inputs: [input] }),
    await aStep(it, 'c', {}, { needs: ['b'] }),
  ]
  const answer = await it.call('/v1/workflows', {
    body: { steps, budget: (10n ** 17n).toString() },
  })
  assert.equal(answer.status, 201)
  const { id } = (await answer.json()) as WorkflowBody
  const { body } = await it.call(`/v1/workflows/${id.slice(0, 20)}/events`)
  assert.ok(body)
  const seen = await collect(readEvents<WorkflowBody>(body))
  assert.ok(seen.every((each) => Value.Check(WorkflowBody, each)))
  const last = seen.at(-1)
  assert.deepEqual(
    last?.steps.map(({ name, state, needs, error }) => [name, state, needs, error?.code]),
    [
      ['a', 'settled', [], undefined],
      ['b', 'failed', ['a'], 'STEP_FAILED'],
      ['c', 'skipped', ['b'], 'STEP_SKIPPED'],
    ],
  )
  assert.deepEqual([last?.state, last?.error?.code], ['failed', 'WORKFLOW_FAILED'])
  assert.ok(BigInt(last?.paid ?? 0) > 0n)
  const found: unknown = await (await it.call(`/v1/workflows/${id}`)).json()
  assert.deepEqual(found, last)
  const job = (await (await it.call(`/v1/jobs/${last?.steps[0]?.job?.id}`)).json()) as {
    origin: unknown
  }
  assert.deepEqual(job.origin, { workflow: id, step: 'a' })
})

test('api: a workflow with mistakes is refused with all of them, and an unknown one is unknown', async () => {
  await using it = await openTestApi()
  const steps = [
    await aStep(it, 'a', {}, { needs: ['b'] }),
    await aStep(it, 'b', {}, { needs: ['a', 'nobody'] }),
  ]
  const answer = await it.call('/v1/workflows', { body: { steps } })
  assert.equal(answer.status, 400)
  const { data } = (await answer.json()) as { data: { problems: string[] } }
  assert.deepEqual(
    data.problems.map((line) => line.split(': ')[0]),
    ['steps.b.needs[1]', 'steps.a'],
  )
  assert.equal((await it.call(`/v1/workflows/0x${'ab'.repeat(32)}`)).status, 404)
})

test('api: cancelling a workflow stops its jobs', async () => {
  await using it = await openTestApi()
  const steps = [await aStep(it, 'a', { spin: true }), await aStep(it, 'b', {}, { needs: ['a'] })]
  const { id } = (await (
    await it.call('/v1/workflows', { body: { steps } })
  ).json()) as WorkflowBody
  const answer = await it.call(`/v1/workflows/${id}/cancel`, { method: 'POST' })
  const cancelled = (await answer.json()) as WorkflowBody
  assert.deepEqual(
    [cancelled.state, ...cancelled.steps.map(({ state }) => state)],
    ['cancelled', 'cancelled', 'cancelled'],
  )
})
