import assert from 'node:assert/strict'
import { second } from '../../node/domain/units.ts'
import { ended, submit } from '../e2e/support/jobs.ts'
import { Money } from '../e2e/support/money.ts'
import { killAt, type KillPoint } from './support/kill-at.ts'
import { wasmMarket } from './support/wasm-market.ts'

const state = (name: string) => `"state":"${name}"`

/** Each of a requester that has no channel yet. */
const OPENING: readonly KillPoint[] = [
  { name: 'before it opens a channel', prefix: 'channel/', holds: '"status":"opening"' },
  {
    name: 'with a channel opened and not noted',
    prefix: 'channel/',
    holds: '"status":"open"',
    when: 'before',
  },
]
const REQUESTER: readonly KillPoint[] = [
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
const PROVIDER: readonly KillPoint[] = [
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

for (const [at, point] of OPENING.entries()) killed(`requester-${at + 1}`, point)
for (const point of REQUESTER) killed('requester-1', point)
for (const point of PROVIDER) killed('provider-1', point)

killed(
  THRIFTY,
  { name: 'with a top-up on record and not sent', prefix: 'channel/', holds: '"toppingUp"' },
  async () => {
    const client = await network.client(THRIFTY)
    const id = await submit(client, JOB)
    assert.equal((await ended(client, id)).state, 'settled')
  },
)

function killed(name: string, point: KillPoint, before?: () => Promise<void>): void {
  const job = { ...JOB, bidWindowMs: BID_WINDOW_MS }
  killAt({ network, money, name, job, ...(before && { before }) }, point)
}
