import { busy } from './busy.ts'
import { calm } from './calm.ts'
import { churn } from './churn.ts'
import { liars } from './liars.ts'
import { partition } from './partition.ts'
import { reorg } from './reorg.ts'
import type { Scenario } from './scenario.ts'

/** Every scenario, in the order of the table. */
export const SCENARIOS: readonly Scenario[] = [calm, busy, churn, partition, liars, reorg]
