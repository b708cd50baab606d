import { minute, second } from '../../../node/domain/units.ts'
import type { Scenario } from './scenario.ts'

/** How long a provider is there on average before its process is killed, ms. */
const SESSION_MS: number = 10 * minute
/** How long it is gone on average, ms. */
const AWAY_MS: number = 30 * second

/** Every provider is killed again and again, and comes back on the same disk. */
export const churn: Scenario = {
  name: 'churn',
  reorganises: false,
  twist: () => undefined,
  unfold(world, { requesters, spanMs }, random) {
    const { clock } = world
    for (const node of world.nodes.slice(requesters)) {
      const goOn = async (): Promise<void> => {
        for (;;) {
          await clock.pass(random.wait(SESSION_MS))
          if (clock.elapsed > spanMs) return
          await node.kill()
          await clock.pass(second + random.wait(AWAY_MS))
          await node.start()
        }
      }
      void goOn()
    }
  },
}
