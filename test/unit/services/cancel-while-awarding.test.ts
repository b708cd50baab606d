import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HiveError } from '../../../node/domain/errors.ts'
import { isFinal } from '../../../node/domain/job-state.ts'
import type { Requests } from '../../../node/ports/requests.ts'
import type { Sandbox } from '../../../node/ports/sandbox.ts'
import { createFakeSandbox } from '../../support/fake-sandbox.ts'
import { aRequest, oneJob, started, TestMarket, until } from '../../support/test-market.ts'

const { signal } = new AbortController()

test('a job cancelled while its awards go out: every provider is told, and no reservation is left', async () => {
  const market = new TestMarket()
  const alice = market.member()
  const { requests } = market.parts(alice)
  const reached = Promise.withResolvers<void>()
  let awards = 0
  const hanging: Requests = {
    answer: (...args) => requests.answer(...args),
    answerStream: (...args) => requests.answerStream(...args),
    stream: (...args) => requests.stream(...args),
    call: async (peer, protocol, request, options) => {
      const answer = await requests.call(peer, protocol, request, options)
      if (protocol !== 'award' || ++awards < 2) return answer
      // the second provider has the award, but its answer does not come
      reached.resolve()
      await new Promise((resolve) => options.signal.addEventListener('abort', resolve))
      throw new HiveError('CANCELLED', {}, { cause: options.signal.reason })
    },
  }
  await using requester = await market.requester(alice, {}, { requests: hanging })
  await using bob = await market.provider(market.member())
  await using carol = await market.provider(market.member())
  const request = await aRequest(alice, { spin: true }, { spec: { tasks: 4 } })
  const { id } = await requester.submit(request, signal)
  await reached.promise
  await requester.cancel(id)
  await until(requester.book.updates, async () => {
    const shares = await requester.book.sharesOf(await requester.book.find(id))
    return shares.length === 2 && shares.every(({ state }) => state === 'cancelled')
  })
  await requester[Symbol.asyncDispose]()
  assert.deepEqual(
    requester.channels.all().map(({ inFlight }) => inFlight),
    [{}, {}],
  )
  for (const { works } of [bob, carol]) {
    // told already; how long the task takes to end is its sandbox's matter
    let all = await works.all()
    for (; all.some(({ state }) => !isFinal(state)); all = await works.all()) {
      signal.throwIfAborted()
      await new Promise(setImmediate)
    }
    assert.deepEqual(
      all.map(({ error }) => error),
      ['JOB_CANCELLED'],
    )
  }
})

test('a job right after one that was cancelled: its provider owes the first no room, however long its task takes to end', async () => {
  const market = new TestMarket()
  const alice = market.member()
  await using requester = await market.requester(alice)
  await using sandbox = createFakeSandbox()
  const slow = Object.assign(Object.create(sandbox) as Sandbox, {
    kind: sandbox.kind,
    run: async (...[task, options]: Parameters<Sandbox['run']>) => {
      const result = await sandbox.run(task, options)
      // as a container that has to be removed first
      if (options.signal.aborted) await new Promise((resolve) => setTimeout(resolve, 200))
      return result
    },
  })
  await using bob = await market.provider(market.member(), {}, { sandboxes: [slow] })
  const { id } = await requester.submit(await aRequest(alice, { spin: true }), signal)
  await started(requester)
  await requester.cancel(id)
  await until(requester.book.updates, async () => {
    const [share] = await requester.book.sharesOf(await requester.book.find(id))
    return share !== undefined && isFinal(share.state)
  })
  const next = await oneJob(requester, alice, signal)
  assert.equal(next.state, 'settled', JSON.stringify(next.answers))
  assert.deepEqual(
    new Set((await bob.works.all()).map(({ error }) => error)),
    new Set(['JOB_CANCELLED', undefined]),
  )
})
