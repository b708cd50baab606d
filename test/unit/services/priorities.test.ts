import assert from 'node:assert/strict'
import { test } from 'node:test'
import { second } from '../../../node/domain/units.ts'
import { WaitingLine } from '../../../node/services/requester/waiting-line.ts'
import type { JobRequest } from '../../../node/services/requester/records.ts'
import type { FakeScript } from '../../support/fake-script.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import {
  aRequest,
  finished,
  started,
  priceATask,
  TestMarket,
  TOKEN,
  until,
} from '../../support/test-market.ts'

const { signal } = new AbortController()

/** A line, and who had a turn in it, in order; each gives its turn back when told to. */
function aLine() {
  const clock = new ManualClock()
  const line = new WaitingLine({ clock })
  const turns: string[] = []
  const open = new Map<string, Disposable>()
  const enter = async (name: string, priority: number, since = 0, stop = signal, again = true) => {
    const turn = await line[again ? 'again' : 'first']({ priority, since }, stop)
    turns.push(name)
    open.set(name, turn)
  }
  const leave = (name: string) => open.get(name)?.[Symbol.dispose]()
  return { clock, line, turns, enter, leave }
}

test('waiting line: one at a time, the highest priority first, then who waits longer', async () => {
  const { clock, line, turns, enter, leave } = aLine()
  await using _ = line
  const all = [enter('low', 2, 0), enter('young', 5, 9), enter('old', 5, 1), enter('high', 8, 9)]
  await clock.advance(1 * second)
  assert.deepEqual(turns, ['high'])
  for (const next of ['old', 'young', 'low']) {
    leave(turns.at(-1) ?? '')
    await clock.advance(0)
    assert.equal(turns.at(-1), next)
  }
  leave('low')
  await Promise.all(all)
})

test('waiting line: who has left gets no turn, and holds nobody up', async () => {
  const { clock, line, turns, enter, leave } = aLine()
  await using _ = line
  const stop = new AbortController()
  const gone = assert.rejects(enter('gone', 9, 0, stop.signal), { name: 'AbortError' })
  const stays = enter('stays', 1)
  stop.abort()
  await gone
  await clock.advance(1 * second)
  assert.deepEqual(turns, ['stays'])
  leave('stays')
  await stays
})

test('waiting line: a new job goes at once, unless one of higher priority waits: then after it', async () => {
  const { clock, line, turns, enter, leave } = aLine()
  await using _ = line
  const first = enter('waits', 5)
  await enter('equal', 5, 0, signal, false)
  const behind = enter('behind', 4, 0, signal, false)
  assert.deepEqual(turns, ['equal'])
  await clock.advance(1 * second)
  assert.deepEqual(turns, ['equal', 'waits'])
  leave('waits')
  await clock.advance(0)
  assert.deepEqual(turns, ['equal', 'waits', 'behind'])
  leave('behind')
  await Promise.all([first, behind])
})

test('waiting line: what came free goes to who waits, not to a new job of the same priority', async () => {
  const { clock, line, turns, enter, leave } = aLine()
  await using _ = line
  const first = enter('waits', 5, 1)
  line.wake()
  const fresh = enter('new', 5, 2, signal, false)
  await clock.advance(1 * second)
  assert.deepEqual(turns, ['waits'])
  const newer = enter('newer', 5, 3, signal, false)
  leave('waits')
  for (const next of ['new', 'newer']) {
    await clock.advance(1 * second)
    assert.equal(turns.at(-1), next)
    leave(next)
  }
  await Promise.all([first, fresh, newer])
  assert.deepEqual(turns, ['waits', 'new', 'newer'])
})

test('waiting line: passes come at growing intervals, and a second after something has ended', async () => {
  const { clock, line, turns } = aLine()
  await using _ = line
  // Joins again as soon as it gives its turn back, as a job does whose tasks found no place.
  const stop = new AbortController()
  const waiting = (async () => {
    while (true) {
      using _turn = await line.again({ priority: 5, since: 0 }, stop.signal)
      turns.push('turn')
      await new Promise((resolve) => setImmediate(resolve))
    }
  })()
  const left = assert.rejects(waiting, { name: 'AbortError' })
  for (const [ms, count] of [
    [999, 0],
    [1, 1],
    [1999, 1],
    [1, 2],
    [4999, 2],
    [1, 3],
    [15_000, 4],
    [14_999, 4],
    [1, 5],
  ] as const) {
    await clock.advance(ms)
    assert.equal(turns.length, count)
  }
  line.wake()
  await clock.advance(1 * second)
  assert.equal(turns.length, 6)
  stop.abort()
  await left
})

test('priority: of two jobs that wait for the only slot, the higher one gets it first', async () => {
  const market = new TestMarket()
  const alice = market.member()
  await using requester = await market.requester(alice)
  const resources = { cpuMillis: 1000, memoryBytes: 2 ** 30, diskBytes: 2 ** 30 }
  await using _ = await market.provider(market.member(), { resources, maxQueue: 1 })
  const blocker = await requester.submit(await aRequest(alice, { spin: true }), signal)
  await started(requester)
  const filler = await requester.submit(await aRequest(alice, {}), signal)
  const { updates } = requester.book
  await until(updates, async () => {
    const [share] = await requester.book.sharesOf(await requester.book.get(filler.id))
    return share?.state === 'running'
  })
  const submit = async (priority: number) => {
    const timeouts = { queueMs: 30 * second }
    const changes = { priority, timeouts, bidWindowMs: 300 }
    return requester.submit(await aRequest(alice, { sleepMs: 50 }, changes), signal)
  }
  const [low, high] = [await submit(2), await submit(8)]
  for (const { id } of [low, high])
    await until(updates, async () => (await requester.book.get(id)).answers !== undefined)
  await requester.cancel(blocker.id)
  const [lowDone, highDone] = await Promise.all(
    [low, high].map(async ({ id }) => finished(requester, id)),
  )
  assert.deepEqual([lowDone?.state, highDone?.state], ['settled', 'settled'])
  assert.ok((highDone?.finishedAt ?? 0) < (lowDone?.finishedAt ?? 0))
})

test('a deposit that another job has reserved: a job that may wait goes on when that one is over', async () => {
  const market = new TestMarket()
  const alice = market.member()
  await using requester = await market.requester(alice)
  const dear = 60n * TOKEN // of the 100 that every member has
  await using _ = await market.provider(market.member(), { prices: priceATask(dear) })
  const request = async (script: FakeScript, changes: Partial<JobRequest> = {}) =>
    aRequest(alice, script, { maxPrice: dear, bidWindowMs: 500, ...changes })
  const first = await requester.submit(await request({ spin: true }), signal)
  await started(requester)
  const another = requester.submit(await request({}), signal)
  await assert.rejects(another, { code: 'INSUFFICIENT_DEPOSIT' })
  const timeouts = { queueMs: 30 * second }
  const { id } = await requester.submit(await request({}, { timeouts }), signal)
  const { updates } = requester.book
  await until(updates, async () => (await requester.book.get(id)).answers !== undefined)
  const [answers] = (await requester.book.get(id)).answers ?? []
  assert.deepEqual(answers?.refusals, [{ code: 'INSUFFICIENT_DEPOSIT', count: 1 }])
  await requester.cancel(first.id)
  assert.equal((await finished(requester, id)).state, 'settled')
  // What is more than there will ever be is refused, whoever waits.
  const most = await request({}, { timeouts, maxPrice: 101n * TOKEN })
  await assert.rejects(requester.submit(most, signal), { code: 'INSUFFICIENT_DEPOSIT' })
})
