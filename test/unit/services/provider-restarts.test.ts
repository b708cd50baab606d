import assert from 'node:assert/strict'
import { test } from 'node:test'
import { codeOf } from '../../../node/domain/errors.ts'
import { Feed } from '../../../node/services/feed.ts'
import type { JobUpdate } from '../../../node/services/requester/job-book.ts'
import type { ProviderOptions } from '../../../node/services/provider/provider-options.ts'
import type { Provider } from '../../../node/services/provider/provider.ts'
import { taskId, type WorkRecord } from '../../../node/services/provider/records.ts'
import type { JobSpec } from '../../../node/domain/job-spec.ts'
import type { Requests } from '../../../node/ports/requests.ts'
import { shareRequest } from '../../../node/protocol/requests.ts'
import { Table } from '../../../node/services/table.ts'
import { createFakeSandbox, FakeMachine } from '../../support/fake-sandbox.ts'
import type { FakeScript } from '../../support/fake-script.ts'
import {
  aRequest,
  claimed,
  finished,
  TASK_PRICE,
  TestMarket,
  until,
  type Member,
} from '../../support/test-market.ts'

const { signal } = new AbortController()

/** A market with one provider that can be killed while a machine goes on with its tasks. */
async function aMarket(options: Partial<ProviderOptions> = {}) {
  const market = new TestMarket()
  const alice = market.member()
  let bob = market.member()
  const machine = new FakeMachine()
  const lives: Provider[] = []
  const runs: string[] = []
  const open = async (member: Member) => {
    const { crashed } = machine
    const sandbox = createFakeSandbox('wasm', machine)
    const run: typeof sandbox.run = async (task, how) => {
      if (!crashed.aborted) runs.push(task.id)
      return sandbox.run(task, how)
    }
    const watched = Object.create(sandbox, { run: { value: run } }) as typeof sandbox
    const provider = await market.provider(member, options, { sandboxes: [watched] })
    lives.push(provider)
    return provider
  }
  await open(bob)
  const refusals = new Feed<string>()
  const { requests } = alice.node
  const watched: Requests = {
    call: async (...args) => requests.call(...args),
    answer: (...args) => requests.answer(...args),
    answerStream: (...args) => requests.answerStream(...args),
    async *stream(...args) {
      try {
        yield* requests.stream(...args)
      } catch (error) {
        refusals.publish(codeOf(error))
        throw error
      }
    },
  }
  const requester = await market.requester(alice, { lostAfterMs: 10_000 }, { requests: watched })
  const updates: JobUpdate[] = []
  const leave = new AbortController()
  const listening = (async () => {
    for await (const update of requester.book.updates.subscribe(leave.signal)) updates.push(update)
  })()
  return {
    market,
    alice,
    requester,
    machine,
    /** Ids of the tasks that were run from their start. */
    runs,
    bob: () => bob,
    /** Resolves when the requester was refused with a code. */
    refused: async (code: string) => until(refusals, (each) => each === code),
    /** What was heard of a task's output, in order. */
    heard: (index = 0) =>
      updates
        .flatMap((each) => (each.type === 'log' && each.index === index ? [each.bytes] : []))
        .map((bytes) => new TextDecoder().decode(bytes))
        .join(''),
    submit: async (script: FakeScript, tasks = 1, spec: Partial<JobSpec> = {}) =>
      (await requester.submit(await aRequest(alice, script, { spec: { ...spec, tasks } }), signal))
        .id,
    printed: async (index = 0) =>
      until(requester.book.updates, (update) => update?.type === 'log' && update.index === index),
    kill: async () => {
      machine.crash()
      bob = await market.rejoinAfterKill(bob)
    },
    restart: async () => open(bob),
    [Symbol.asyncDispose]: async () => {
      leave.abort()
      await listening
      await requester[Symbol.asyncDispose]()
      for (const provider of lives) await provider[Symbol.asyncDispose]()
    },
  }
}

test('a provider killed during a task that runs on: taken up in the same share, told and paid once', async () => {
  await using at = await aMarket()
  const id = await at.submit({ stdout: 'one\n', sleepMs: 700, write: { '/out/a': 'kept' } })
  await at.printed()
  await at.kill()
  const provider = await at.restart()
  const done = await finished(at.requester, id)
  assert.equal(done.state, 'settled')
  assert.equal(done.shares.length, 1)
  assert.equal(at.runs.length, 1)
  assert.equal(at.heard(), 'one\n')
  assert.deepEqual(
    done.results.map((result) => [result?.exitCode, result?.files.length]),
    [[0, 1]],
  )
  await claimed(at.market, TASK_PRICE)
  assert.deepEqual(
    (await provider.works.all()).map(({ state, restarts }) => [state, restarts]),
    [['settled', 1]],
  )
  assert.deepEqual(provider.slots.free, provider.slots.total)
})

test('a provider that is up and does not answer for its shares yet is asked again', async () => {
  await using at = await aMarket()
  const id = await at.submit({ stdout: 'one\n', sleepMs: 100 })
  await at.printed()
  await at.kill()
  await at.refused('PEER_PROTOCOL')
  await at.restart()
  const done = await finished(at.requester, id)
  assert.deepEqual([done.state, done.shares.length], ['settled', 1])
})

test('tasks that ended before the kill are not run again, and those that had not begun run now', async () => {
  await using at = await aMarket({
    resources: { cpuMillis: 1000, memoryBytes: 1e9, diskBytes: 1e9 },
  })
  const id = await at.submit({ stdout: 'x', sleepMs: 400 }, 3)
  await at.printed(1)
  await at.kill()
  const provider = await at.restart()
  const done = await finished(at.requester, id)
  assert.equal(done.state, 'settled')
  assert.equal(done.shares.length, 1)
  const [share = '0x'] = done.shares
  assert.deepEqual(
    at.runs,
    [0, 1, 2].map((index) => taskId(share, index)),
  )
  assert.deepEqual([at.heard(0), at.heard(1), at.heard(2)], ['x', 'x', 'x'])
  await claimed(at.market, 3n * TASK_PRICE)
  assert.deepEqual([...(await provider.works.endedTasks(share))], [])
})

test('a task that did not outlive its node is run again from its start, and heard from its start', async () => {
  await using at = await aMarket()
  const id = await at.submit({ stdout: 'one\n', sleepMs: 300 })
  await at.printed()
  await at.kill()
  at.machine.running.clear()
  await at.restart()
  const done = await finished(at.requester, id)
  assert.equal(done.state, 'settled')
  assert.equal(done.shares.length, 1)
  assert.equal(at.runs.length, 2)
  assert.equal(at.heard(), 'one\none\n')
  await claimed(at.market, TASK_PRICE)
})

test('killed again and again: taken up each time, until a share that is always there is given up', async () => {
  await using at = await aMarket()
  const id = await at.submit({ stdout: 'one\n', sleepMs: 60_000 })
  await at.printed()
  for (let restarts = 1; restarts <= 3; restarts++) {
    await at.kill()
    const provider = await at.restart()
    assert.deepEqual(
      (await provider.works.all()).map((work) => work.restarts),
      [restarts],
    )
  }
  await at.kill()
  const provider = await at.restart()
  assert.deepEqual(
    (await provider.works.all()).map(({ state, error }) => [state, error]),
    [['failed', 'INTERRUPTED']],
  )
  assert.equal(at.machine.running.size, 0)
  await at.requester.cancel(id)
})

test('killed again and again: what has ended of a share that is given up is delivered and paid', async () => {
  await using at = await aMarket()
  const id = await at.submit({ sleepArgs: true }, 2, { args: ['{index}0000'] })
  await until(
    at.requester.book.updates,
    (update) => update?.type === 'task' && update.index === 0 && update.result !== undefined,
  )
  for (let restarts = 1; restarts <= 4; restarts++) {
    await at.kill()
    await at.restart()
  }
  const done = await finished(at.requester, id)
  assert.deepEqual(
    done.results.map((result) => result?.reason),
    ['exit', undefined],
  )
  await claimed(at.market, TASK_PRICE)
  assert.equal(at.machine.running.size, 0)
})

test('a job cancelled while its provider was gone: its task ends when the provider hears of it', async () => {
  await using at = await aMarket()
  const id = await at.submit({ stdout: 'one\n', sleepMs: 60_000 })
  await at.printed()
  const work = await at.requester.book.find(id)
  await at.kill()
  const stopping = at.requester.cancel(id)
  await until(
    at.requester.book.updates,
    async () => (await at.requester.book.find(id)).ending !== undefined,
  )
  // Nobody is there to be waited for.
  await at.requester.cancel(id)
  await stopping
  const provider = await at.restart()
  const [share = '0x'] = work.shares
  const { peer } = at.bob().signing
  await until(at.requester.book.updates, async () => {
    const shares = await at.requester.book.sharesOf(work)
    return shares.every(({ state }) => state === 'cancelled')
  })
  await at.alice.node.requests.call(peer, 'cancel', shareRequest.encode({ agreement: share }), {
    signal,
  })

  await provider[Symbol.asyncDispose]()
  assert.deepEqual(
    (await provider.works.all()).map(({ state, error }) => [state, error]),
    [['cancelled', 'JOB_CANCELLED']],
  )
  assert.equal(at.machine.running.size, 0)
})

for (const [why, change] of [
  ['its time is over', { finishBy: 1 }],
  ['its channel is closed', undefined],
] as const) {
  test(`a share is not taken up when ${why}, and what ran for it is ended`, async () => {
    await using at = await aMarket()
    const id = await at.submit({ stdout: 'one\n', sleepMs: 60_000 })
    await at.printed()
    await at.kill()
    const table = new Table<WorkRecord>(at.bob().store, 'work/')
    for await (const work of table.all()) {
      if (change !== undefined) await table.put(work.id, { ...work, ...change })
      const channel = at.market.chain.channels.get(work.channel)
      if (change === undefined && channel !== undefined)
        at.market.chain.channels.set(channel.id, { ...channel, status: 'closed' })
    }
    const provider = await at.restart()
    assert.deepEqual(
      (await provider.works.all()).map(({ state, error }) => [state, error]),
      [['failed', 'INTERRUPTED']],
    )
    assert.equal(at.machine.running.size, 0)
    await at.requester.cancel(id)
  })
}

test('a task that nobody comes back for is not begun again', async () => {
  await using at = await aMarket()
  const id = await at.submit({ stdout: 'one\n', sleepMs: 300 })
  await at.printed()
  await at.kill()
  await at.requester[Symbol.asyncDispose]()
  at.machine.running.clear()
  const provider = await at.restart()
  const [work] = await provider.works.all()
  assert.ok(work)
  assert.equal(provider.slots.waiting, 0)
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(at.runs.length, 1)
  const again = at.market.rejoin(at.alice)
  await using requester = await at.market.requester(again)
  assert.equal((await finished(requester, id)).state, 'settled')
  assert.equal(at.runs.length, 2)
})
