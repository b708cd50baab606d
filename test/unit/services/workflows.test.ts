import assert from 'node:assert/strict'
import { test } from 'node:test'
import { second } from '../../../node/domain/units.ts'
import type { Requester } from '../../../node/services/requester/requester.ts'
import type {
  WorkflowRecord,
  WorkflowRequest,
  WorkflowStep,
} from '../../../node/services/requester/workflow-records.ts'
import { Workflows } from '../../../node/services/requester/workflows.ts'
import type { FakeScript } from '../../support/fake-script.ts'
import {
  aRequest,
  claimed,
  started,
  TASK_PRICE,
  TestMarket,
  TOKEN,
  until,
  type Member,
} from '../../support/test-market.ts'

/** A requester with its workflows, and a provider. */
async function aMarket() {
  const market = new TestMarket()
  const alice = market.member()
  const stack = new AsyncDisposableStack()
  stack.use(await market.provider(market.member()))
  const requester = stack.use(await market.requester(alice))
  const workflows = stack.use(workflowsOf(market, alice, requester))
  return {
    market,
    alice,
    requester,
    workflows,
    step: async (
      name: string,
      script: FakeScript,
      {
        tasks = 1,
        args = [] as string[],
        ...how
      }: Partial<WorkflowStep> & {
        readonly tasks?: number
        readonly args?: string[]
      } = {},
    ): Promise<WorkflowStep> => ({
      name,
      needs: [],
      inputs: [],
      ...how,
      request: await aRequest(alice, script, { bidWindowMs: second, spec: { tasks, args } }),
    }),
    run: async (request: WorkflowRequest) => ended(workflows, (await workflows.submit(request)).id),
    /** What a step's tasks printed. */
    printed: async ({ steps }: WorkflowRecord, name: string) => {
      const job = await requester.book.get(steps.find((each) => each.name === name)?.job ?? '0x')
      const bytes = job.results.map(async (result) =>
        alice.blobs.get(result?.stdout.cid ?? '', {
          maxBytes: 1000,
          signal: AbortSignal.timeout(second),
        }),
      )
      return (await Promise.all(bytes)).map((each) => new TextDecoder().decode(each))
    },
    [Symbol.asyncDispose]: async () => stack.disposeAsync(),
  }
}

function workflowsOf(market: TestMarket, member: Member, requester: Requester): Workflows {
  return new Workflows({ ...market.parts(member), requester })
}

async function ended(workflows: Workflows, id: WorkflowRecord['id']): Promise<WorkflowRecord> {
  await until(
    workflows.book.updates,
    async () => (await workflows.book.get(id)).state !== 'running',
  )
  return workflows.book.get(id)
}

const statesOf = ({ steps }: WorkflowRecord) =>
  Object.fromEntries(steps.map(({ name, state }) => [name, state]))
const codesOf = ({ steps }: WorkflowRecord) =>
  Object.fromEntries(
    steps.flatMap(({ name, error }) => (error === undefined ? [] : [[name, error.code]])),
  )
const cat = { copyArgs: true }

test('a workflow: what one step makes is what the next one gets, and each is a job that is paid', async () => {
  await using it = await aMarket()
  const steps = [
    await it.step('map', { write: { '/out/part': 'made' }, stdout: 'said' }, { tasks: 3 }),
    await it.step('reduce', cat, {
      args: ['/in/parts/2', '/out/whole'],
      inputs: [{ path: '/in/parts', from: 'map', output: '/out/part' }],
    }),
    await it.step('each', cat, {
      args: ['/in/{input}', '/out/{input}'],
      map: { from: 'map', output: 'stdout' },
    }),
  ]
  const done = await it.run({ steps })
  assert.deepEqual(statesOf(done), { map: 'settled', reduce: 'settled', each: 'settled' })
  assert.equal(done.state, 'settled')
  const jobOf = async (name: string) =>
    it.requester.book.get(done.steps.find((each) => each.name === name)?.job ?? '0x')
  const [whole] = (await jobOf('reduce')).results
  assert.equal(whole?.exitCode, 0)
  const bytes = await it.alice.blobs.get(whole.files[0]?.cid ?? '', {
    maxBytes: 100,
    signal: AbortSignal.timeout(second),
  })
  assert.equal(new TextDecoder().decode(bytes), 'made')
  const each = await jobOf('each')
  assert.deepEqual(
    each.results.map((result) => result?.files.map(({ path }) => path)),
    [['/out/0'], ['/out/1'], ['/out/2']],
  )
  await claimed(it.market, 7n * TASK_PRICE)
})

test('a step that fails: what needs it is skipped with its name, what does not goes on', async () => {
  await using it = await aMarket()
  const done = await it.run({
    steps: [
      await it.step('bad', { exit: 3 }),
      await it.step('after', {}, { needs: ['bad'] }),
      await it.step('later', {}, { needs: ['after'] }),
      await it.step('apart', { stdout: 'fine' }),
    ],
  })
  assert.deepEqual(statesOf(done), {
    bad: 'failed',
    after: 'skipped',
    later: 'skipped',
    apart: 'settled',
  })
  assert.deepEqual(codesOf(done), {
    bad: 'STEP_FAILED',
    after: 'STEP_SKIPPED',
    later: 'STEP_SKIPPED',
  })
  assert.deepEqual(done.steps[2]?.error?.data, { needs: 'after' })
  assert.deepEqual([done.state, done.error?.code], ['failed', 'WORKFLOW_FAILED'])
  assert.deepEqual(await it.printed(done, 'apart'), ['fine'])
})

test('an output that the step did not leave: the next one fails with its path, before it is offered', async () => {
  await using it = await aMarket()
  const done = await it.run({
    steps: [
      await it.step('a', { stdout: 'x' }),
      await it.step('b', {}, { inputs: [{ path: '/in/x', from: 'a', output: '/out/none' }] }),
    ],
  })
  assert.deepEqual(codesOf(done), { b: 'STEP_OUTPUT_MISSING' })
  assert.equal((await it.requester.book.list()).length, 1)
})

test('a workflow with a mistake is refused with its path before anything is offered', async () => {
  await using it = await aMarket()
  const steps = [await it.step('a', {}, { needs: ['b'] }), await it.step('b', {}, { needs: ['a'] })]
  await assert.rejects(it.workflows.submit({ steps }), (error: { data?: unknown }) => {
    assert.deepEqual(error.data, { problems: ['steps.a: it needs itself: a → b → a'] })
    return true
  })
  assert.deepEqual(await it.requester.book.list(), [])
  assert.deepEqual(await it.workflows.book.list(), [])
})

test('budget: more than the steps could cost is refused at once, what shows later ends the step', async () => {
  await using it = await aMarket()
  const max = TOKEN / 100n
  const steps = [
    await it.step('a', { stdout: 'x' }, { tasks: 3 }),
    await it.step('b', { stdout: 'x' }, { map: { from: 'a', output: 'stdout' } }),
  ]
  await assert.rejects(it.workflows.submit({ steps, budget: 4n * max - 1n }), {
    code: 'WORKFLOW_BUDGET',
  })
  const [a, b] = steps as [WorkflowStep, WorkflowStep]
  const dear = { ...b, request: { ...b.request, maxPrice: 2n * max } }
  // The first step costs three times the price, and then three tasks could cost six times the most.
  const done = await it.run({ steps: [a, dear], budget: 5n * max })
  assert.deepEqual(codesOf(done), { b: 'WORKFLOW_BUDGET' })
  assert.deepEqual(statesOf(done), { a: 'settled', b: 'failed' })
  const enough = await it.run({ steps: [a, dear], budget: 6n * max + 3n * TASK_PRICE })
  assert.equal(enough.state, 'settled')
})

test('budget: a service step counts every second of its time, not one', async () => {
  await using it = await aMarket()
  const [maxPrice, tasks] = [10n, 1]
  const step = await it.step('serve', { spin: true }, { tasks })
  const spec = { ...step.request.spec, service: { payEveryMs: second }, timeoutMs: 2500 }
  const steps = [{ ...step, request: { ...step.request, maxPrice, spec } }]
  await assert.rejects(it.workflows.submit({ steps, budget: 3n * maxPrice - 1n }), {
    code: 'WORKFLOW_BUDGET',
    data: { step: 'all', needed: 30n, budget: 29n, spent: 0n },
  })
})

test('budget: a step’s job cannot be extended beyond what its workflow may cost', async () => {
  await using it = await aMarket()
  const max = TOKEN / 100n
  const dear = await it.step('a', { spin: true })
  const { id } = await it.workflows.submit({ steps: [dear], budget: 3n * max })
  await started(it.requester)
  const job = (await it.workflows.book.get(id)).steps[0]?.job ?? '0x'
  const retry = { on: [75], elsewhere: false, backOff: { firstMs: 1, factor: 1, mostMs: 1 } }
  await it.requester.book.change(job, (each) => ({ ...each, request: { ...each.request, retry } }))
  await assert.rejects(it.requester.extend(job, { attempts: 4 }), {
    code: 'WORKFLOW_BUDGET',
    data: { step: 'a', needed: 4n * max, budget: 3n * max, spent: 0n },
  })
  assert.equal((await it.requester.book.get(job)).request.attempts, 2)
  assert.equal((await it.requester.extend(job, { attempts: 3 })).request.attempts, 3)
  await it.workflows.cancel(id)
})

test('cancel: running steps are stopped, waiting ones never start', async () => {
  await using it = await aMarket()
  const { id } = await it.workflows.submit({
    steps: [await it.step('a', { spin: true }), await it.step('b', {}, { needs: ['a'] })],
  })
  await started(it.requester)
  const cancelled = await it.workflows.cancel(id)
  assert.deepEqual(
    [cancelled.state, statesOf(cancelled)],
    ['cancelled', { a: 'cancelled', b: 'cancelled' }],
  )
  const jobs = await it.requester.book.list()
  assert.deepEqual(
    jobs.map(({ state, origin }) => [state, origin?.step]),
    [['cancelled', 'a']],
  )
})

test('total time: it holds for all steps together', async () => {
  await using it = await aMarket()
  const done = await it.run({
    steps: [await it.step('a', { spin: true }), await it.step('b', {}, { needs: ['a'] })],
    totalMs: 700,
  })
  assert.deepEqual(codesOf(done), { a: 'JOB_TIMEOUT', b: 'STEP_SKIPPED' })
  assert.equal(done.error?.code, 'JOB_TIMEOUT')
})

test('a node that is killed: the workflow goes on where it was, and no step is run twice', async () => {
  const it = await aMarket()
  const { id } = await it.workflows.submit({
    steps: [
      await it.step('a', { stdout: 'x' }),
      await it.step('b', { sleepMs: 700, stdout: 'y' }, { needs: ['a'] }),
      await it.step(
        'c',
        { stdout: 'z' },
        { inputs: [{ path: '/in/y', from: 'b', output: 'stdout' }] },
      ),
    ],
  })
  await until(it.requester.book.updates, async (update) => {
    const job = update?.type === 'task' ? await it.requester.book.get(update.job) : undefined
    return job?.origin?.step === 'b'
  })
  const again = await it.market.rejoinAfterKill(it.alice)
  await using requester = await it.market.requester(again)
  await using workflows = workflowsOf(it.market, again, requester)
  await workflows.resume()
  const done = await ended(workflows, id)
  assert.deepEqual(statesOf(done), { a: 'settled', b: 'settled', c: 'settled' })
  assert.equal((await requester.book.list()).length, 3)
  await claimed(it.market, 3n * TASK_PRICE)
  await it[Symbol.asyncDispose]()
})

test('a node that is killed between a step’s job and its record finds the job again', async () => {
  await using it = await aMarket()
  const steps = [await it.step('a', { stdout: 'x' })]
  const { id } = await it.workflows.submit({ steps })
  const done = await ended(it.workflows, id)
  // As if the last writes of the workflow's record had been lost.
  const steps_ = [{ name: 'a', state: 'waiting' }] as const
  await it.workflows.book.change(id, (each) => ({ ...each, state: 'running', steps: steps_ }))
  await using workflows = workflowsOf(it.market, it.alice, it.requester)
  await workflows.resume()
  const again = await ended(workflows, id)
  assert.deepEqual([again.state, again.steps[0]?.job], ['settled', done.steps[0]?.job])
  assert.equal((await it.requester.book.list()).length, 1)
})
