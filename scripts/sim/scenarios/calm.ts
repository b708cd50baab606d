import type { Scenario } from './scenario.ts'

/** Nothing goes wrong. */
export const calm: Scenario = {
  name: 'calm',
  reorganises: false,
  twist: () => undefined,
  unfold: () => undefined,
}
