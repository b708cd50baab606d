import assert from 'node:assert/strict'
import { second } from '../../node/domain/units.ts'
import { ended, submit } from '../e2e/support/jobs.ts'
import { Money } from '../e2e/support/money.ts'
import { patience } from '../e2e/support/shared-network.ts'
import { familyOf, survivors } from '../support/processes.ts'
import { fault } from './support/faults.ts'
import { stoodStill, tell, type Order } from './support/orders.ts'
import { assertSound } from './support/soundness.ts'
import { wasmMarket } from './support/wasm-market.ts'

/** Where a node stands still and is killed: at the record that says so, before or after it is written. */
interface Point {
  readonly name: string
  readonly prefix: string
  readonly holds: string
  readonly when?: 'before' | 'after'
  /** Nobody else is there to take the job, so it may end without a result, with one of these codes. */
  readonly mayFailWith?: readonly string[]
}

const state = (name: string) => `"state":"${name}"`

/** Each of a requester that has no channel yet. */
const OPENING: readonly Point[] = [
  { name: 'before it opens a channel', prefix: 'channel/', holds: '"status":"opening"' },
  {
    name: 'with a channel opened and not noted',
    prefix: 'channel/',
    holds: '"status":"open"',
    when: 'before',
  },
]
const REQUESTER: readonly Point[] = [
  { name: 'with a job drafted', prefix: 'job/', holds: state('draft') },
  { name: 'with a job offered', prefix: 'job/', holds: state('offered') },
  { name: 'with money reserved and no award', prefix: 'channel/', holds: '"inFlight":{"0x' },
  { name: 'with a share awarded', prefix: 'share/', holds: state('awarded') },
  { name: 'with a share fetching', prefix: 'share/', holds: state('fetching') },
  { name: 'with a share running', prefix: 'share/', holds: state('running') },
  { name: 'with a share publishing', prefix: 'share/', holds: state('publishing') },
  { name: 'with a share verifying', prefix: 'share/', holds: state('verifying') },
  { name: 'before it pays', prefix: 'share/', holds: state('settled'), when: 'before' },
  { name: 'with a voucher undelivered', prefix: 'share/', holds: state('settled') },
]
const PROVIDER: readonly Point[] = [
  {
    name: 'with an award not noted',
    prefix: 'work/',
    holds: state('awarded'),
    when: 'before',
    mayFailWith: ['NO_BIDS', 'NO_PROVIDER_LEFT'],
  },
  {
    name: 'with an award noted and not answered',
    prefix: 'work/',
    holds: state('awarded'),
    mayFailWith: ['NO_BIDS', 'NO_PROVIDER_LEFT'],
  },
  { name: 'fetching', prefix: 'work/', holds: state('fetching') },
  { name: 'running', prefix: 'work/', holds: state('running') },
  { name: 'with a task ended', prefix: 'ended/', holds: '"index"' },
  { name: 'publishing', prefix: 'work/', holds: state('publishing') },
  {
    name: 'before its receipt is on record',
    prefix: 'work/',
    holds: state('verifying'),
    when: 'before',
  },
  { name: 'with its receipt not told', prefix: 'work/', holds: state('verifying') },
  { name: 'before it takes a voucher', prefix: 'earned/', holds: 'agreement', when: 'before' },
  { name: 'with a voucher and no claim', prefix: 'earned/', holds: 'agreement' },
]

/** A requester whose channels hold what was needed so far and no more, so that each job after its first tops up. */
const THRIFTY = `requester-${OPENING.length + 1}`
const network = wasmMarket({
  requesters: OPENING.length + 1,
  change: async (name, initial) =>
    name === THRIFTY
      ? { ...initial, requester: { ...initial.requester, channelDeposit: '0.000001' } }
      : initial,
})
const money = new Money(network)
const JOB = { args: ['echo', '0', 'hi'], tasks: 2, bidsWanted: 1 }
/** A node that starts again offers its jobs again before it has found the others. */
const BID_WINDOW_MS: number = 30 * second
const SURVIVORS_WITHIN_MS = 10 * second

for (const [at, point] of OPENING.entries()) killAt(`requester-${at + 1}`, point)
for (const point of REQUESTER) killAt('requester-1', point)
for (const point of PROVIDER) killAt('provider-1', point)

killAt(
  THRIFTY,
  { name: 'with a top-up on record and not sent', prefix: 'channel/', holds: '"toppingUp"' },
  async () => {
    const client = await network.client(THRIFTY)
    const id = await submit(client, JOB)
    assert.equal((await ended(client, id)).state, 'settled')
  },
)

function killAt(
  name: string,
  { when = 'after', mayFailWith = [], ...point }: Point,
  before: () => Promise<void> = async () => {},
): void {
  const [role = ''] = name.split('-')
  const requester = role === 'requester' ? name : 'requester-1'
  fault(`${role} killed`, point.name, async () => {
    await before()
    const { process: child } = network.node(name).child
    const order: Order = { type: 'stop', when, prefix: point.prefix, holds: point.holds }
    await tell(child, order)
    // A requester that stands still does not answer; whether the job is on record is seen below.
    const submitting = network
      .client(requester)
      .then(async (client) => submit(client, { ...JOB, bidWindowMs: BID_WINDOW_MS }))
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
