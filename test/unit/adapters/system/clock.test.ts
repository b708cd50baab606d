import { systemClock } from '../../../../node/adapters/system/system-clock.ts'
import { clockKeepsItsPromises } from '../../../conformance/clock.ts'
import { ManualClock } from '../../../support/manual-clock.ts'

clockKeepsItsPromises('system clock', () => ({
  clock: systemClock,
  pass: (ms) => systemClock.sleep(ms, new AbortController().signal),
}))

clockKeepsItsPromises('manual clock', () => {
  const clock = new ManualClock()
  return { clock, pass: (ms) => clock.advance(ms) }
})
