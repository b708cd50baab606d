import type { Bytes32 } from '../../domain/ids.ts'
import type { EscrowChannel, OpenChannel } from '../../ports/escrow.ts'
import type { ChannelParties } from './escrow-events.ts'

/** The contract's words for a channel's status. Source: contracts/types/Channels.sol. */
const STATUSES = [undefined, 'open', 'closing', 'closed'] as const

/** What the contract's `channel` answers. */
export type RawChannel = Readonly<Record<string, bigint>>

/** A channel's status; `undefined` for one that was never opened. */
export function statusOf(raw: RawChannel): EscrowChannel['status'] | undefined {
  return STATUSES[Number(raw['status'])]
}

/** A channel in the port's words. */
export function channelOf(
  id: Bytes32,
  raw: RawChannel,
  status: EscrowChannel['status'],
  { requester, provider, requesterSigner, providerSigner }: ChannelParties,
): EscrowChannel {
  const { deposit = 0n, settled = 0n, bond = 0n, frozen = 0n, sponsored = 0n } = raw
  return {
    id,
    requester,
    provider,
    requesterSigner,
    providerSigner,
    deposit,
    settled,
    bond,
    feeBps: Number(raw['feeBps']),
    closeAt: Number(raw['closeAt']),
    status,
    bondHold: Number(raw['bondHold']),
    bondFreeAt: Number(raw['bondFreeAt']),
    frozen,
    requesterCases: Number(raw['requesterCases']),
    providerCases: Number(raw['providerCases']),
    sponsored,
  }
}

/** The contract's `OpenTerms`. */
export function openTermsOf({ bondOffer, deposit, agreement }: OpenChannel): object {
  const { provider, providerSigner, bond, hold: bondHold, expiry: bondExpiry, nonce } = bondOffer
  return { provider, providerSigner, deposit, bond, bondHold, bondExpiry, nonce, agreement }
}
