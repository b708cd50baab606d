import { AbiCoder, keccak256 } from 'ethers'
import type { BondOffer } from '../domain/bid.ts'
import type { Address, Bytes32 } from '../domain/ids.ts'
import type { SigningDomain } from './typed-data.ts'

const TYPES = ['uint256', 'address', 'address', 'address', 'address', 'uint256']
const ADDRESS_BITS = 160

/** Who shares a channel: what its id fixes. */
export type ChannelIdentity = Pick<BondOffer, 'requester' | 'provider' | 'providerSigner' | 'nonce'>

/** The id that the contract gives the channel of these parties. Never reusable. */
export function channelId(
  domain: SigningDomain,
  { requester, provider, providerSigner, nonce }: ChannelIdentity,
): Bytes32 {
  const values = [domain.chainId, domain.escrow, requester, provider, providerSigner, nonce]
  return keccak256(AbiCoder.defaultAbiCoder().encode(TYPES, values)) as Bytes32
}

/** The requester's session key, which a channel's nonce carries in its low 160 bits. */
export function requesterSignerOf(nonce: bigint): Address {
  return `0x${BigInt.asUintN(ADDRESS_BITS, nonce)
    .toString(16)
    .padStart(ADDRESS_BITS / 4, '0')}`
}
