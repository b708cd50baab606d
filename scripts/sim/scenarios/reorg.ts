import { second } from '../../../node/domain/units.ts'
import type { Scenario } from './scenario.ts'

/** How long the chain goes on in peace on average, ms. */
const PEACE_MS: number = 15 * second
/** Most blocks that are replaced at once: twice as many as a node waits for. */
const DEEPEST = 6

/** Again and again, the newest blocks of the chain are replaced by others. */
export const reorg: Scenario = {
  name: 'reorg',
  reorganises: true,
  twist: () => undefined,
  unfold({ clock, chain }, { spanMs }, random) {
    const next = (): void => {
      if (clock.elapsed > 2 * spanMs) return
      clock.after(random.wait(PEACE_MS), () => {
        chain.reorganise(1 + random.below(DEEPEST))
        next()
      })
    }
    next()
  },
}
