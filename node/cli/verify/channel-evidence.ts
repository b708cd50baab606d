import { ZERO_BYTES32, type Address, type Bytes32 } from '../../domain/ids.ts'
import { formatAmount, TOKEN_DECIMALS, type Amount } from '../../domain/money.ts'
import { counted, dateText } from '../output/words.ts'
import type { ChannelReading } from './channel-reading.ts'
import { sumsOf, type ChannelSums, type EventOf } from './channel-sums.ts'
import type { Findings } from './findings.ts'

const ONE_TOKEN: Amount = 10n ** BigInt(TOKEN_DECIMALS)

/** What the chain knows of one channel. */
export interface ChannelEvidence {
  readonly id: Bytes32
  readonly requester: Address
  /** Keys whose signatures count on the channel. Their hash is in its id. */
  readonly requesterKey: Address
  readonly providerKey: Address
  readonly deposit: Amount
  readonly bond: Amount
  readonly settled: Amount
  readonly isClosed: boolean
  /** Agreement that the channel was opened for; zero for none. */
  readonly openedFor: Bytes32
  readonly claims: readonly EventOf<'claimed'>[]
}

/** Says what follows from a reading; `undefined` when that is nothing. */
export function channelEvidence(
  { id, channel, events, fault }: ChannelReading,
  endpoint: string,
  findings: Findings,
): ChannelEvidence | undefined {
  if (fault !== undefined) {
    findings.refuted(`${endpoint} contradicts itself about channel ${id}: ${fault}.`, 'state')
    return undefined
  }
  const sums = sumsOf(events)
  const { opened, claims, deposit, bond, settled, closed } = sums
  if (channel === undefined || opened === undefined) {
    findings.refuted(`Channel ${id} does not exist: the contract has never opened it.`, 'funding')
    return undefined
  }
  const { requester, provider, requesterSigner, providerSigner, agreement, feeBps } = opened
  findings.onChain(
    `Channel ${id} was opened in block ${opened.block} by requester ${requester} with ${tokens(opened.deposit)} for provider ${provider}, who put in a bond of ${tokens(opened.bond)}. Vouchers are signed by ${requesterSigner}; the platform’s fee is ${feeBps / 100} % for its whole life.`,
    'funding',
  )
  if (agreement !== ZERO_BYTES32)
    findings.onChain(`It was opened for the agreement ${agreement}.`, 'funding')
  for (const event of events) {
    if (event.type !== 'topped-up' && event.type !== 'bond-added') continue
    const what = event.type === 'topped-up' ? 'deposit' : 'bond'
    findings.onChain(
      `In block ${event.block} ${event.payer} added ${tokens(event.amount)} to the ${what}.`,
      'funding',
    )
  }
  claimFindings(claims, findings)
  findings.onChain(stateText(sums), 'state')
  return {
    id,
    requester,
    requesterKey: requesterSigner,
    providerKey: providerSigner,
    deposit,
    bond,
    settled,
    isClosed: closed !== undefined,
    openedFor: agreement,
    claims,
  }
}

function claimFindings(claims: readonly EventOf<'claimed'>[], findings: Findings): void {
  for (const { block, transaction, paid, fee, jobs } of claims) {
    const what = jobs === 0 ? 'as both sides agreed' : `for ${counted(jobs, 'paid share')} in all`
    findings.onChain(
      `In block ${block} the channel paid ${tokens(paid)} ${what}: ${tokens(paid - fee)} to the provider and ${tokens(fee)} as the platform’s fee (transaction ${transaction}).`,
      'payment',
    )
  }
  if (claims.length === 0)
    findings.onChain('Nothing has been paid out of the channel so far.', 'payment')
}

function stateText(sums: ChannelSums): string {
  const { closing, closed, deposit, settled } = sums
  if (closed !== undefined)
    return `The channel was closed in block ${closed.block} ${closedBy(sums)}. In its life it paid ${tokens(closed.settled)}; at its end ${tokens(closed.depositReturned)} went back to the requester and ${tokens(closed.bondReturned)} of bond to the provider. Its id cannot be used again.`
  const locked = `the contract still holds ${tokens(deposit - settled)} of its deposit`
  if (closing === undefined) return `The channel is open: ${locked}.`
  return `The channel is closing, by the notice that ${closing.by} gave in block ${closing.block}: ${locked}; claims count until ${dateText(closing.closeAt * 1000)}, and then until somebody closes it.`
}

/** Who closed a channel, as far as the events show it. */
function closedBy({ closed, closing, claims }: ChannelSums): string {
  const last = claims.findLast(({ transaction }) => transaction === closed?.transaction)
  if (last?.jobs === 0) return 'by both sides, who agreed on the final sum'
  if (last !== undefined) return 'by the provider, with its last claim'
  return closing === undefined
    ? 'by the provider, or by both sides, with nothing more to pay'
    : `after the notice that ${closing.by} gave in block ${closing.block}`
}

/** An amount as a person reads it. */
export function tokens(amount: Amount): string {
  return `${formatAmount(amount)} ${amount === ONE_TOKEN ? 'token' : 'tokens'}`
}
