import { second } from '../../node/domain/units.ts'
import { Money } from '../e2e/support/money.ts'
import { killAt, type KillPoint } from './support/kill-at.ts'
import { wasmMarket } from './support/wasm-market.ts'

/** Each of a service that is paid by the second, in its first interval or right after it. */
const REQUESTER: readonly KillPoint[] = [
  {
    name: 'with an interval of a service paid and its voucher undelivered',
    prefix: 'share/',
    holds: '"lastPaid"',
  },
  {
    name: 'before it pays an interval of a service',
    prefix: 'share/',
    holds: '"lastPaid"',
    when: 'before',
  },
]
/** A provider that is back too late for its requester has nobody else there to go on for it. */
const mayFailWith = ['NO_BIDS', 'NO_PROVIDER_LEFT', 'PROVIDER_LOST']
const PROVIDER: readonly KillPoint[] = [
  {
    name: 'with an interval of a service due and not told',
    prefix: 'interval/',
    holds: '"state":"due"',
    mayFailWith,
  },
  {
    name: 'before it takes the voucher for an interval of a service',
    prefix: 'earned/',
    holds: 'agreement',
    when: 'before',
    mayFailWith,
  },
]

const network = wasmMarket()
const money = new Money(network)
/** Runs for two intervals and a half. */
const SERVICE = {
  args: ['line-then-spin'],
  payEveryMs: 6 * second,
  timeoutMs: 15 * second,
  bidsWanted: 1,
}

for (const point of REQUESTER) killAt({ network, money, name: 'requester-1', job: SERVICE }, point)
for (const point of PROVIDER) killAt({ network, money, name: 'provider-1', job: SERVICE }, point)
