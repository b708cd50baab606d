import { ZERO_BYTES32, type Address, type Bytes32 } from '../../domain/ids.ts'
import type { Amount } from '../../domain/money.ts'
import { counted, dateText, tokens } from '../output/words.ts'
import type { EscrowEvent } from '../../ports/escrow.ts'
import type { ChannelReading } from './channel-reading.ts'
import { caseFindings } from './case-evidence.ts'
import { sumsOf, type CaseStory, type ChannelSums, type PaidClaim } from './channel-sums.ts'
import type { Findings } from './findings.ts'

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
  readonly claims: readonly PaidClaim[]
  /** By the agreement that they are about. */
  readonly cases: ReadonlyMap<Bytes32, CaseStory>
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
  const { opened, claims, cases, deposit, bond, settled, closed } = sums
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
    const text = addedText(event)
    if (text !== undefined) findings.onChain(text, 'funding')
  }
  claimFindings(claims, findings)
  caseFindings(cases, findings)
  findings.onChain(stateText(sums), 'state')
  for (const event of events) {
    const text = returnedText(event)
    if (text !== undefined) findings.onChain(text, 'state')
  }
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
    cases,
  }
}

function addedText(event: EscrowEvent): string | undefined {
  if (event.type !== 'topped-up' && event.type !== 'bond-added' && event.type !== 'sponsored')
    return undefined
  const what = event.type === 'bond-added' ? 'bond' : 'deposit'
  const who = event.type === 'sponsored' ? `${event.payer}, as a sponsor,` : event.payer
  return `In block ${event.block} ${who} added ${tokens(event.amount)} to the ${what}.`
}

function returnedText(event: EscrowEvent): string | undefined {
  if (event.type === 'bond-released')
    return `In block ${event.block} ${tokens(event.amount)} of bond went back to the provider.`
  if (event.type !== 'refunded') return undefined
  return `In block ${event.block} ${tokens(event.amount)} of the deposit went back to ${event.payer}.`
}

function claimFindings(claims: readonly PaidClaim[], findings: Findings): void {
  for (const { claim } of claims) {
    const { block, transaction, paid, fee, jobs } = claim
    const what = jobs === 0 ? 'as both sides agreed' : `for ${counted(jobs, 'paid share')} in all`
    findings.onChain(
      `In block ${block} the channel paid ${tokens(paid)} ${what}: ${tokens(paid - fee)} to the provider and ${tokens(fee)} as the platform’s fee (transaction ${transaction}).`,
      'payment',
    )
  }
  if (claims.length === 0)
    findings.onChain('No claim has been paid out of the channel so far.', 'payment')
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
  const last = claims.findLast(({ claim }) => claim.transaction === closed?.transaction)
  if (last?.claim.jobs === 0) return 'by both sides, who agreed on the final sum'
  if (last !== undefined) return 'by the provider, with its last claim'
  return closing === undefined
    ? 'by the provider, or by both sides, with nothing more to pay'
    : `after the notice that ${closing.by} gave in block ${closing.block}`
}
