import assert from 'node:assert/strict'
import { test } from 'node:test'
import { minute, second } from '../../node/domain/units.ts'
import type { MachineState } from '../../node/ports/machine-state.ts'

/** A machine under test, and what its owner does with it. */
export interface MachineUnderTest extends AsyncDisposable {
  readonly machine: MachineState
  readonly pass: (ms: number) => Promise<void>
  unplug(): Promise<void>
  plugIn(): Promise<void>
  use(): Promise<void>
}

/** How old an answer may be, ms. */
const STALE_MS = 5 * second

/** What every MachineState promises. */
export function machineStateKeepsItsPromises(
  name: string,
  make: () => Promise<MachineUnderTest>,
): void {
  test(`${name}: on mains power and never used, as far as it knows, until something shows`, async () => {
    await using on = await make()
    assert.deepEqual(await on.machine.read(), { onBattery: false, idleMs: undefined })
  })

  test(`${name}: unplugged and plugged in again shows within seconds`, async () => {
    await using on = await make()
    const shown: boolean[] = []
    for (const change of [() => on.unplug(), () => on.plugIn(), () => on.unplug()]) {
      await change()
      await on.pass(STALE_MS)
      shown.push((await on.machine.read()).onBattery)
    }
    assert.deepEqual(shown, [true, false, true])
  })

  test(`${name}: idle time grows from the last use, and starts again with the next`, async () => {
    await using on = await make()
    await on.machine.read()
    await on.use()
    await on.pass(STALE_MS)
    const { idleMs: first } = await on.machine.read()
    await on.pass(10 * minute)
    const { idleMs: later } = await on.machine.read()
    assert.ok(first !== undefined && first <= STALE_MS)
    assert.equal(later, first + 10 * minute)
    await on.use()
    await on.pass(STALE_MS)
    const { idleMs: again } = await on.machine.read()
    assert.ok(again !== undefined && again <= STALE_MS)
  })
}
