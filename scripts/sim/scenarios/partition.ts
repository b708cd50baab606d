import type { Scenario } from './scenario.ts'

/** For the middle third of the time, the eastern half of the world and the western cannot reach each other. */
export const partition: Scenario = {
  name: 'partition',
  reorganises: false,
  twist: () => undefined,
  unfold({ clock, network }, { spanMs }) {
    clock.after(spanMs / 3, () => network.part())
    clock.after((spanMs * 2) / 3, () => network.heal())
  },
}
