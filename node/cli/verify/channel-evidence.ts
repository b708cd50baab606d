import { ZERO_ADDRESS, type Address, type Bytes32 } from '../../domain/ids.ts'
import { formatAmount, TOKEN_DECIMALS, type Amount } from '../../domain/money.ts'
import type { Escrow, EscrowChannel, EscrowEvent } from '../../ports/escrow.ts'
import { counted, dateText } from '../output/words.ts'
import type { Findings } from './findings.ts'

const ONE_TOKEN: Amount = 10n ** BigInt(TOKEN_DECIMALS)

/** A claim, as the contract logged it. */
export type ClaimEvent = Extract<EscrowEvent, { type: 'claimed' }>

/** What the chain knows of one channel. */
export interface ChannelEvidence {
  readonly id: Bytes32
  readonly deposit: Amount
  /** Keys whose signatures count on the channel; more than one where the owner has a session key. */
  readonly requesterKeys: ReadonlySet<Address>
  readonly providerKeys: ReadonlySet<Address>
  readonly claims: readonly ClaimEvent[]
}

/** Reads a channel and says what follows; `undefined` when the contract does not know it. */
export async function channelEvidence(
  escrow: Escrow,
  id: Bytes32,
  findings: Findings,
  signal: AbortSignal,
): Promise<ChannelEvidence | undefined> {
  const channel = await escrow.channel(id, { signal })
  const events = await escrow.events({ fromBlock: 0, channel: id }, { signal })
  const opened = events.find((event) => event.type === 'opened')
  if (channel === undefined || opened === undefined) {
    findings.refuted(`Channel ${id} does not exist: the contract has never opened it.`)
    return undefined
  }
  // A closed channel may keep no more than its tombstone; what it was is in its first event.
  const requester = opened.requester
  const provider = opened.provider
  const topUps = events.flatMap((event) => (event.type === 'topped-up' ? [event.amount] : []))
  const deposit = topUps.reduce((sum, amount) => sum + amount, opened.deposit)
  findings.proven(
    `Channel ${id} was opened in block ${opened.block} by requester ${requester} with ${tokens(deposit)} for provider ${provider}, who put in a bond of ${tokens(opened.bond)}.`,
  )
  const claims = events.filter((event) => event.type === 'claimed')
  stateFindings(channel, findings)
  claimFindings(channel, claims, deposit, findings)
  return {
    id,
    deposit,
    requesterKeys: keys(requester, channel.requesterSigner),
    providerKeys: keys(provider, channel.providerSigner),
    claims,
  }
}

function stateFindings({ status, closeAt }: EscrowChannel, findings: Findings): void {
  if (status === 'open')
    findings.proven('The channel is open: its money is locked in the contract.')
  else if (status === 'closed')
    findings.proven('The channel is closed for good: its id cannot be used again.')
  else
    findings.proven(
      `The channel is closing: claims count until ${dateText(closeAt * 1000)}, then anyone may close it.`,
    )
}

function claimFindings(
  channel: EscrowChannel,
  claims: readonly ClaimEvent[],
  deposit: Amount,
  findings: Findings,
): void {
  for (const { block, transaction, paid, fee, jobs } of claims) {
    findings.proven(
      `In block ${block} ${tokens(paid)} were paid, ${tokens(paid - fee)} to the provider and ${tokens(fee)} as the platform fee, bringing the channel to ${counted(jobs, 'paid share')} (transaction ${transaction}).`,
    )
  }
  if (claims.length === 0) findings.proven('Nothing has been claimed from the channel so far.')
  const total = claims.reduce((sum, { paid }) => sum + paid, 0n)
  if (total > deposit)
    findings.refuted(`The channel paid ${tokens(total)}, which is more than its deposit.`)
  if (channel.status !== 'closed' && total !== channel.settled)
    findings.refuted(
      `The endpoint contradicts itself: the claims add up to ${tokens(total)}, the channel’s state says ${tokens(channel.settled)}.`,
    )
}

function keys(owner: Address, signer: Address): ReadonlySet<Address> {
  return new Set(signer === ZERO_ADDRESS ? [owner] : [owner, signer])
}

/** An amount as a person reads it. */
export function tokens(amount: Amount): string {
  return `${formatAmount(amount)} ${amount === ONE_TOKEN ? 'token' : 'tokens'}`
}
