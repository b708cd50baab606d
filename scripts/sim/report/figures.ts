import type { Address } from '../../../node/domain/ids.ts'
import { second } from '../../../node/domain/units.ts'
import type { WatchedJob } from '../market/job-watch.ts'
import type { MarketRun } from '../market/run-market.ts'
import { listPriceOf } from '../market/workload.ts'
import { percentile } from '../../bench/figures.ts'
import { jain, mean, variation } from './spread.ts'

/** What one run came to. Times are virtual, seconds; amounts are in tokens. */
export interface RunFigures {
  readonly scenario: string
  readonly nodes: number
  readonly seed: number
  readonly jobs: number
  readonly tasks: number
  readonly settled: number
  readonly failed: number
  readonly unended: number
  readonly offers: number
  readonly bidsPerJob: number
  readonly firstBidP50: number
  readonly firstBidP99: number
  readonly matchP50: number
  readonly matchP99: number
  /** Without those of nodes that look for each other, which they do without jobs too. */
  readonly directPerJob: number
  readonly directBytesPerJob: number
  readonly bidMessagesPerJob: number
  readonly gossipPerJob: number
  readonly gossipBytesPerJob: number
  /** Copies of each offer that a node gets, its own not counted. */
  readonly gossipPerJobAndNode: number
  readonly paidProviders: number
  readonly jainOfPaid: number
  readonly jainOfAll: number
  /** Of what a machine asks at half load; how it differs between agreements; how its mean differs between windows. */
  readonly priceMean: number
  readonly priceVariation: number
  readonly priceDrift: number
  readonly liarsEarned: number
  readonly moneyConserved: boolean
  readonly unclaimed: number
  readonly drift: number
  readonly blocksReplaced: number
  readonly transactions: number
  readonly virtualSeconds: number
  readonly events: number
  readonly byProtocol: Readonly<
    Record<string, { readonly messages: number; readonly bytes: number }>
  >
  readonly failures: Readonly<Record<string, number>>
  /** Mean price of the agreements of each window, as a share of the list price. */
  readonly prices: readonly number[]
  /** When each job was matched after it was given, seconds. */
  readonly matches: readonly number[]
}

/** Windows of time over which prices are compared. */
const WINDOWS = 12
const TOKEN = 1e18

export function figuresOf(run: MarketRun): RunFigures {
  const { plan, scenario, world, jobs, money } = run
  const count = jobs.length
  const { traffic, chain, clock } = world
  const [direct, sight] = [traffic.sum('direct '), traffic.sum('direct sight')]
  const bid = traffic.sum('direct bid')
  const gossip = traffic.sum('gossip ')
  const of = (pick: (job: WatchedJob) => number | undefined) =>
    jobs.flatMap((job) => {
      const at = pick(job)
      return at === undefined ? [] : [(at - job.submittedAt) / second]
    })
  const firstBids = of(({ firstBidAt }) => firstBidAt)
  const matches = of(({ matchedAt }) => matchedAt)
  const honest = world.nodes.filter(({ twist }) => twist === undefined)
  const earned = honest.map(({ at }) => Number(run.earned.get(at) ?? 0n) / TOKEN)
  const paid = earned.filter((each) => each > 0)
  const lied = world.nodes.filter(({ twist }) => twist !== undefined)
  const prices = pricesOf(run)
  const windows = inWindows(prices, plan.spanMs)
  return {
    scenario: scenario.name,
    nodes: plan.nodes,
    seed: plan.seed,
    jobs: count,
    tasks: jobs.reduce((sum, { request }) => sum + request.spec.tasks, 0),
    settled: jobs.filter(({ record }) => record.state === 'settled').length,
    failed: jobs.filter(({ record }) => record.state === 'failed').length,
    unended: run.unended,
    offers: jobs.reduce((sum, { record }) => sum + record.offers.length, 0),
    bidsPerJob: mean(jobs.map(({ bids }) => bids)),
    firstBidP50: percentile(firstBids, 0.5),
    firstBidP99: percentile(firstBids, 0.99),
    matchP50: percentile(matches, 0.5),
    matchP99: percentile(matches, 0.99),
    directPerJob: (direct.messages - sight.messages) / count,
    directBytesPerJob: (direct.bytes - sight.bytes) / count,
    bidMessagesPerJob: bid.messages / count,
    gossipPerJob: gossip.messages / count,
    gossipBytesPerJob: gossip.bytes / count,
    gossipPerJobAndNode: gossip.messages / count / plan.nodes,
    paidProviders: paid.length,
    jainOfPaid: jain(paid),
    jainOfAll: jain(earned),
    priceMean: mean(prices.map(({ price }) => price)),
    priceVariation: variation(prices.map(({ price }) => price)),
    priceDrift: variation(windows),
    liarsEarned: lied.reduce((sum, { at }) => sum + Number(run.earned.get(at) ?? 0n) / TOKEN, 0),
    moneyConserved: money.before === money.after,
    unclaimed: Number(run.unclaimed) / TOKEN,
    drift: run.drift,
    blocksReplaced: chain.counts.replaced,
    transactions: chain.counts.transactions,
    virtualSeconds: clock.elapsed / second,
    events: clock.happened,
    byProtocol: Object.fromEntries([...traffic.counts].sort(([a], [b]) => (a < b ? -1 : 1))),
    failures: failuresOf(jobs),
    prices: windows,
    matches,
  }
}

/** The price of each agreement, as a share of what its provider asks at half load. */
function pricesOf({ jobs, world }: MarketRun): readonly { at: number; price: number }[] {
  const nodes = new Map<Address, (typeof world.nodes)[number]>(
    world.nodes.map((node) => [node.signing.address, node]),
  )
  return jobs.flatMap(({ shares, request }) =>
    [...shares.values()].flatMap(({ share, at }) => {
      const node = nodes.get(share.provider)
      if (node === undefined || node.twist !== undefined) return []
      const perTask = Number(share.price) / share.tasks.length
      return [{ at, price: perTask / Number(listPriceOf(node.machine, request)) }]
    }),
  )
}

function inWindows(
  prices: readonly { readonly at: number; readonly price: number }[],
  spanMs: number,
): number[] {
  const windows = Array.from({ length: WINDOWS }, (): number[] => [])
  for (const { at, price } of prices) windows[Math.floor((at / spanMs) * WINDOWS)]?.push(price)
  return windows.filter((each) => each.length > 0).map(mean)
}

function failuresOf(jobs: readonly WatchedJob[]): Record<string, number> {
  const failures: Record<string, number> = {}
  for (const { record, shares } of jobs) {
    const codes = [...shares.values()].flatMap(({ share }) => (share.error ? [share.error] : []))
    for (const code of codes) failures[`share ${code}`] = (failures[`share ${code}`] ?? 0) + 1
    const { error } = record
    if (error) failures[`job ${error.code}`] = (failures[`job ${error.code}`] ?? 0) + 1
  }
  return failures
}
