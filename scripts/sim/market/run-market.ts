import { HiveError } from '../../../node/domain/errors.ts'
import { minute, second } from '../../../node/domain/units.ts'
import type { RunPlan, Scenario } from '../scenarios/scenario.ts'
import { Randomness, seededSource } from '../time/randomness.ts'
import { JobWatch } from './job-watch.ts'
import { CLAIM_AFTER_MS, type SimNode } from './sim-node.ts'
import { Workload } from './workload.ts'
import { World } from './world.ts'

/** Everything that a run leaves to be looked at; its services have ended. */
export interface MarketRun {
  readonly plan: RunPlan
  readonly scenario: Scenario
  readonly world: World
  readonly jobs: JobWatch['jobs']
  /** Jobs that had not ended when the run was given up. */
  readonly unended: number
  /** What travelled before the first job. */
  readonly quiet: { readonly messages: number; readonly bytes: number }
  /** All the money before the first job and after the last. */
  readonly money: { readonly before: bigint; readonly after: bigint }
  /** What providers were promised by vouchers that they hold, by the place of their node. */
  readonly earned: ReadonlyMap<number, bigint>
  /** Of it, what they have not claimed. */
  readonly unclaimed: bigint
  /** Differences to the contract that nodes found and mended. */
  readonly drift: number
}

/** Longest that a job may take after the last was given, ms: four times the longest agreement. */
const PATIENCE_MS: number = 80 * minute

/** Runs a market from its first node to its last claim. The same plan gives the same run, to the last byte. */
export async function runMarket(scenario: Scenario, asked: RunPlan): Promise<MarketRun> {
  const plan = scenario.fit?.(asked) ?? asked
  const { nodes, seed, jobs: count, requesters, spanMs } = plan
  using _source = seededSource(seed)
  const { reorganises } = scenario
  const twist = (at: number) => scenario.twist(at, plan)
  const world = new World({ nodes, seed, reorganises, twist })
  const { clock, chain, traffic } = world
  await world.start()
  const before = chain.total
  const quiet = traffic.sum('')
  const watch = new JobWatch(clock)
  const stop = new AbortController()
  const users = world.nodes.slice(0, requesters)
  for (const { life } of users) if (life) void watch.follow(life.requester.book, stop.signal)
  world.codec.onOpened = (name, message) => {
    if (name === 'Bid' && 'offer' in message) watch.bid(message.offer)
  }
  scenario.unfold(world, plan, new Randomness(seed, scenario.name))
  const given = giveJobs(world, users, plan)
  const end = clock.now() + spanMs + PATIENCE_MS
  await clock.run(() => given() === count && watch.open === 0, end)
  const unended = watch.open
  // vouchers are delivered, claimed when nothing came for a while, and the claims confirmed
  await clock.run(() => false, clock.now() + 3 * CLAIM_AFTER_MS + 20 * second)
  const { earned, unclaimed, drift } = accounts(world.nodes)
  const after = chain.total
  stop.abort(new HiveError('CANCELLED'))
  await world.stop()
  const money = { before, after }
  return {
    plan,
    scenario,
    world,
    jobs: watch.jobs,
    unended,
    quiet,
    money,
    earned,
    unclaimed,
    drift,
  }
}

/** Gives the jobs at their times. Returns what tells how many were given. */
function giveJobs(
  { clock }: World,
  users: readonly SimNode[],
  { jobs, seed, spanMs, length }: RunPlan,
): () => number {
  const workload = new Workload(seed)
  let given = 0
  const { signal } = new AbortController()
  const images = users.map(async ({ blobs }) => blobs.add(workload.program()))
  for (const { afterMs, requester } of workload.schedule(jobs, users.length, spanMs)) {
    const give = async (): Promise<void> => {
      const image = (await images[requester]) ?? ''
      await users[requester]?.life?.requester.submit(workload.request(image, length), signal)
      given++
    }
    clock.after(afterMs, () => void give())
  }
  return () => given
}

function accounts(nodes: readonly SimNode[]) {
  const earned = new Map<number, bigint>()
  let [unclaimed, drift] = [0n, 0]
  for (const { at, life } of nodes) {
    for (const { cumulative, claimed } of life?.provider.earnings.all() ?? []) {
      earned.set(at, (earned.get(at) ?? 0n) + cumulative)
      unclaimed += cumulative - claimed
    }
    drift += life?.reconciler.drift ?? 0
  }
  return { earned, unclaimed, drift }
}
