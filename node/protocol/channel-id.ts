import { AbiCoder, keccak256 } from 'ethers'
import type { BondOffer } from '../domain/bid.ts'
import type { Address, Bytes32 } from '../domain/ids.ts'
import type { SigningDomain } from './typed-data.ts'

const TYPES = ['uint256', 'address', 'address', 'address', 'address', 'address', 'uint256']

/** Who shares a channel, as its bond offer and its opening name them. */
type Parties = Pick<BondOffer, 'requester' | 'provider' | 'providerSigner' | 'nonce'>

/** The id that the contract gives the channel of these parties. Never reusable. */
export function channelId(
  domain: SigningDomain,
  parties: Parties,
  requesterSigner: Address,
): Bytes32 {
  const { requester, provider, providerSigner, nonce } = parties
  const values = [
    domain.chainId,
    domain.escrow,
    requester,
    provider,
    requesterSigner,
    providerSigner,
    nonce,
  ]
  return keccak256(AbiCoder.defaultAbiCoder().encode(TYPES, values)) as Bytes32
}
