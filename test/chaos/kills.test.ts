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

const network = wasmMarket({ requesters: OPENING.length })
const money = new Money(network)
for (const [at, point] of OPENING.entries()) killed(`requester-${at + 1}`, point)
for (const point of REQUESTER) killed('requester-1', point)
for (const point of PROVIDER) killed('provider-1', point)

function killed(name: string, point: KillPoint): void {
  const job = { args: ['echo', '0', 'hi'], tasks: 2, bidsWanted: 1 }
  killAt({ network, money, name, job }, point)
}
