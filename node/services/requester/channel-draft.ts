import type { BondOffer } from '../../domain/bid.ts'
import type { Bytes32, PeerId } from '../../domain/ids.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Escrow } from '../../ports/escrow.ts'
import { toHex } from '../../protocol/bytes.ts'
import { channelId } from '../../protocol/channel-id.ts'
import type { SignedBond } from './channel-funding.ts'
import type { ChannelRecord } from './channel-record.ts'

export interface ChannelDraftParts {
  readonly clock: Clock
  readonly escrow: Pick<Escrow, 'chainId' | 'address'>
}

/** A channel with the provider that promises this bond, before anything of it is on chain. */
export function draftChannel(
  { clock, escrow }: ChannelDraftParts,
  peer: PeerId,
  offer: BondOffer,
): ChannelRecord {
  const contract = { chainId: escrow.chainId, escrow: escrow.address }
  return {
    id: channelId(contract, offer),
    provider: offer.provider,
    peer,
    status: 'opening',
    createdAt: clock.now(),
    deposit: 0n,
    cumulative: 0n,
    jobs: 0,
    acknowledged: 0,
    lastSeq: 0,
    inFlight: {},
    givenUp: [],
  }
}

/** A drafted channel with what its transaction will carry. */
export function openingChannel(
  record: ChannelRecord,
  { offer, signature }: SignedBond,
  agreement: Bytes32,
): ChannelRecord {
  const bondSignature = toHex(signature)
  return { ...record, opening: { bondOffer: offer, bondSignature, agreement } }
}
