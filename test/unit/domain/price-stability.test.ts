import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PRICING_RULES } from '../../../node/domain/pricing.ts'
import { anOffer } from '../../support/messages.ts'

const PROVIDERS = 20
const SLOTS = 8
/** Steps that a task runs on average. */
const RUNS = 10
const LIST = { perTask: 1000n, perCoreSecond: 0n, perGpuSecond: 0n, reservedSecondsCap: 60 }

test('follow: under steady demand the market price is steady, whatever the demand was before', () => {
  const market = aMarket(1)
  const calm = market.run(400, 0.5)
  const crowded = market.run(400, 0.95)
  const after = market.run(400, 0.5)
  assert.ok(crowded.mean > calm.mean * 1.2, 'demand moves it')
  assert.ok(Math.abs(after.mean / calm.mean - 1) < 0.02, 'and nothing of that stays')
  for (const { spread } of [calm, crowded, after]) assert.ok(spread < 0.15, `spread ${spread}`)
})

test('follow: work spreads over all who ask alike, so none is full while another is idle', () => {
  const market = aMarket(1)
  market.run(400, 0.5)
  const loads = market.loads()
  assert.ok(Math.max(...loads) - Math.min(...loads) <= 0.25, loads.join(' '))
})

/** Requesters that take the cheapest of providers who price by their own load, in steps of time. */
function aMarket(seed: number) {
  let ends: number[][] = Array.from({ length: PROVIDERS }, () => [])
  let now = 0
  let state = seed
  const random = () => (state = (state * 1_103_515_245 + 12_345) % 2 ** 31) / 2 ** 31
  const load = (tasks: readonly number[]) => tasks.length / SLOTS
  const price = (tasks: readonly number[]) =>
    Number(PRICING_RULES.follow(anOffer(), LIST, load(tasks)))
  return {
    loads: () => ends.map(load),
    /** The prices paid over `steps` at a demand of `share` of all slots: their mean, and how much means of parts differ. */
    run(steps: number, share: number) {
      const perStep = (PROVIDERS * SLOTS * share) / RUNS
      const paid: number[] = []
      for (const until = now + steps; now < until; now++) {
        ends = ends.map((tasks) => tasks.filter((end) => end > now))
        for (let n = Math.floor(perStep + random()); n > 0; n--) {
          const free = ends.filter((tasks) => tasks.length < SLOTS)
          if (free.length === 0) break
          const lowest = Math.min(...free.map(price))
          const cheapest = free.filter((tasks) => price(tasks) === lowest)
          const chosen = cheapest[Math.floor(random() * cheapest.length)]
          paid.push(lowest)
          chosen?.push(now + RUNS * (0.5 + random()))
        }
      }
      const settled = paid.slice(paid.length / 4)
      const mean = meanOf(settled)
      const parts = Array.from({ length: 10 }, (_, at) =>
        meanOf(settled.slice((at * settled.length) / 10, ((at + 1) * settled.length) / 10)),
      )
      return { mean, spread: (Math.max(...parts) - Math.min(...parts)) / mean }
    },
  }
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
