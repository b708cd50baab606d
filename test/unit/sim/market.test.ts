import assert from 'node:assert/strict'
import { test } from 'node:test'
import { minute } from '../../../node/domain/units.ts'
import { runMarket } from '../../../scripts/sim/market/run-market.ts'
import { figuresOf, type RunFigures } from '../../../scripts/sim/report/figures.ts'
import { tableOf } from '../../../scripts/sim/report/table.ts'
import { SCENARIOS } from '../../../scripts/sim/scenarios/all.ts'
import type { RunPlan } from '../../../scripts/sim/scenarios/scenario.ts'

/**
 * Standard deviation over mean that prices may have where machines are busy: of all agreements, and of the means of
 * twelve stretches of time. A price that ran between its ends, idle and queued, would come to 0.64 in both.
 */
const PRICES_STEADY = { agreements: 0.6, stretches: 0.45 }

/** What messages of a job may grow by from 50 nodes to 200: more listen, and those that are asked stay as many. */
const FLAT = 1.6

async function run(
  name: string,
  nodes: number,
  jobs: number,
  changes: Partial<RunPlan> = {},
): Promise<RunFigures> {
  const scenario = SCENARIOS.find((each) => each.name === name)
  assert.ok(scenario)
  const plan = { nodes, seed: 5, jobs, spanMs: 1 * minute, requesters: 5, length: 1, ...changes }
  // As it is asked for here, however long the scenario would take in full.
  return figuresOf(await runMarket({ ...scenario, fit: (asked) => asked }, plan))
}

test('the same seed gives the same table, to the last byte', async () => {
  const [one, other] = [await run('calm', 30, 5), await run('calm', 30, 5)]
  assert.equal(tableOf([one]), tableOf([other]))
  assert.equal(one.settled, 5)
})

test('messages per job are as many among 200 nodes as among 50', async () => {
  const [few, many] = [await run('calm', 50, 8), await run('calm', 200, 8)]
  assert.equal(many.settled, 8)
  const growth = (pick: (figures: RunFigures) => number) => pick(many) / pick(few)
  assert.ok(growth(({ bidMessagesPerJob }) => bidMessagesPerJob) < FLAT)
  assert.ok(growth(({ gossipPerJob }) => gossipPerJob) < FLAT)
})

test('a partition that heals leaves no job without an end', async () => {
  const { settled, failed, unended, moneyConserved } = await run('partition', 40, 8)
  assert.equal(unended, 0)
  assert.equal(settled + failed, 8)
  assert.ok(moneyConserved)
})

test('providers that are killed again and again cost retries, and no job', async () => {
  const { settled, unclaimed } = await run('churn', 40, 8)
  assert.equal(settled, 8)
  assert.equal(unclaimed, 0)
})

test('liars that undercut everybody earn nothing', async () => {
  const { settled, liarsEarned, failures } = await run('liars', 60, 12)
  assert.equal(settled, 12)
  assert.equal(liarsEarned, 0)
  assert.ok(Object.keys(failures).length > 0, 'some of them were given work')
})

test('reorganisations strand no money, and every voucher becomes money', async () => {
  const { settled, moneyConserved, unclaimed, blocksReplaced } = await run('reorg', 30, 8)
  assert.equal(settled, 8)
  assert.ok(moneyConserved)
  assert.equal(unclaimed, 0)
  assert.ok(blocksReplaced > 0)
})

test(
  'more work than there is room for waits its turn: no share ends by its deadline, and no job is lost',
  { timeout: 3 * minute },
  async () => {
    const { settled, failures } = await run('busy', 6, 35, { seed: 9, requesters: 2, length: 8 })
    assert.equal(settled, 35)
    assert.equal(failures['share JOB_TIMEOUT'], undefined)
  },
)

test('prices that follow the load of busy machines do not swing from one end to the other', async () => {
  const { settled, prices, priceVariation, priceDrift } = await run('busy', 12, 60, {
    spanMs: 5 * minute,
    requesters: 3,
  })
  assert.equal(settled, 60)
  assert.ok(Math.max(...prices) > 1.25, 'they follow it')
  assert.ok(priceVariation < PRICES_STEADY.agreements, `${priceVariation} of all agreements`)
  assert.ok(priceDrift < PRICES_STEADY.stretches, `${priceDrift} over time`)
})
