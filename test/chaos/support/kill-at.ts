import assert from 'node:assert/strict'
import { second } from '../../../node/domain/units.ts'
import { submit, type TestJob } from '../../e2e/support/jobs.ts'
import type { Money } from '../../e2e/support/money.ts'
import { patience, type SharedNetwork } from '../../e2e/support/shared-network.ts'
import { familyOf, survivors } from '../../support/processes.ts'
import { fault } from './faults.ts'
import { stoodStill, tell, type Order } from './orders.ts'
import { assertSound } from './soundness.ts'

/** Where a node stands still and is killed: at the record that says so, before or after it is written. */
export interface KillPoint {
  readonly name: string
  readonly prefix: string
  readonly holds: string
  readonly when?: 'before' | 'after'
  /** Nobody else is there to take the job, so it may end without a result, with one of these codes. */
  readonly mayFailWith?: readonly string[]
}

/** Who is killed, and the job that is under way then. */
export interface Killing {
  readonly network: SharedNetwork
  readonly money: Money
  readonly name: string
  readonly job: TestJob
  /** What has to have happened first. */
  readonly before?: () => Promise<void>
}

const SURVIVORS_WITHIN_MS = 10 * second

/** A test of one kill, after which the node starts again and everything has to be sound. */
export function killAt(
  { network, money, name, job: asked, before }: Killing,
  { when = 'after', mayFailWith = [], ...point }: KillPoint,
): void {
  const [role = ''] = name.split('-')
  const requester = role === 'requester' ? name : 'requester-1'
  fault(`${role} killed`, point.name, async () => {
    await before?.()
    const { process: child } = network.node(name).child
    const order: Order = { type: 'stop', when, prefix: point.prefix, holds: point.holds }
    await tell(child, order)
    // A requester that stands still does not answer; whether the job is on record is seen below.
    const submitting = network
      .client(requester)
      .then(async (client) => submit(client, asked))
      .catch(() => undefined)
    await stoodStill(child, patience())
    const family = await familyOf(child.pid ?? 0)
    await network.kill(name)
    assert.deepEqual(await survivors(family, AbortSignal.timeout(SURVIVORS_WITHIN_MS)), [])
    await network.restart(name)
    await submitting
    const [job] = await assertSound(network, money)
    if (job?.state !== 'settled')
      assert.ok(mayFailWith.includes(job?.error?.code ?? ''), JSON.stringify(job?.error))
  })
}
