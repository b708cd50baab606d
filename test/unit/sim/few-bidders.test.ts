import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MiB, minute, second } from '../../../node/domain/units.ts'
import type { Machine } from '../../../scripts/sim/market/machines.ts'
import { runMarket } from '../../../scripts/sim/market/run-market.ts'
import { mean } from '../../../scripts/sim/report/spread.ts'
import type { Scenario } from '../../../scripts/sim/scenarios/scenario.ts'
import { percentile } from '../../../scripts/bench/figures.ts'

/** Of so many nodes one has enough memory for the jobs; the others hear the offers, and decline. */
const ONE_OF = 16
/** What bids of a job may grow by at most while a network grows to thrice its size. */
const FLAT = 2
/** Less than any job of the workload asks for. */
const SMALL = 128 * MiB

const fewBidders: Scenario = {
  name: 'few bidders',
  reorganises: false,
  twist: (at) => ({ machine: (machine) => machineOf(machine, at % ONE_OF === 0) }),
  unfold: () => undefined,
}

/** A machine that runs either kind of job, as far as it has the memory. */
function machineOf(machine: Machine, isLarge: boolean): Machine {
  const { resources } = machine
  const memoryBytes = isLarge ? resources.memoryBytes : SMALL
  return { ...machine, kinds: ['wasm', 'docker'], resources: { ...resources, memoryBytes } }
}

/** How long it took until enough bids were there, seconds, and how many came. */
async function bidding(nodes: number) {
  // each job is the first of its requester, who has not learned how few bid
  const plan = { nodes, seed: 7, jobs: 20, spanMs: 1 * minute, requesters: 20, length: 0.1 }
  const { jobs } = await runMarket(fewBidders, plan)
  const times = jobs.map(({ submittedAt, enoughBidsAt = Infinity }) => enoughBidsAt - submittedAt)
  return { p95: percentile(times, 0.95) / second, bids: mean(jobs.map(({ bids }) => bids)) }
}

test('enough bids come within a second also where few bid, and no more of them in a larger network', async () => {
  const [smaller, larger] = [await bidding(120), await bidding(360)]
  for (const { p95 } of [smaller, larger]) assert.ok(p95 <= 1, `${p95} s`)
  assert.ok(larger.bids < FLAT * smaller.bids, `${larger.bids} and ${smaller.bids} bids per job`)
})
