import { minute, second } from '../../../node/domain/units.ts'
import type { Scenario } from './scenario.ts'

/** Share of all cores that would be in use if work came evenly. */
const DEMAND = 0.8
/** What a machine has, and what a usual job uses, on average: see machines.ts and workload.ts. */
const CORES_A_NODE = 10.5
const CORE_SECONDS_A_JOB = 100
/** Long tasks, so that fewer of them keep the machines busy. */
const LENGTH = 8
/** Enough nodes to see what prices do; as much work for a thousand would take the simulator an hour. */
const MOST_NODES = 40
/** Of them, those that give the jobs. */
const REQUESTERS = 10
/** Long enough for machines to fill and to empty again, ms. */
const LEAST_SPAN_MS: number = 20 * minute

/** Work for most of the machines there are, so that prices, which follow the load, have something to follow. */
export const busy: Scenario = {
  name: 'busy',
  reorganises: false,
  fit(plan) {
    const spanMs = Math.max(plan.spanMs, LEAST_SPAN_MS)
    const nodes = Math.min(plan.nodes, MOST_NODES)
    const requesters = Math.min(plan.requesters, REQUESTERS)
    const there = nodes * CORES_A_NODE * (spanMs / second)
    const jobs = Math.round((DEMAND * there) / (CORE_SECONDS_A_JOB * LENGTH))
    return { ...plan, nodes, requesters, spanMs, jobs, length: LENGTH }
  },
  twist: () => undefined,
  unfold: () => undefined,
}
