import { AbiCoder, keccak256 } from 'ethers'
import type { BondOffer } from '../domain/bid.ts'
import type { Address, Bytes32 } from '../domain/ids.ts'
import type { SigningDomain } from './typed-data.ts'

const TYPES = ['uint256', 'address', 'address', 'address', 'address', 'address', 'uint256']

/** The id that the contract will give the channel opened with this bond offer. Never reusable. */
export function channelId(
  domain: SigningDomain,
  bond: BondOffer,
  requesterSigner: Address,
): Bytes32 {
  const { requester, provider, providerSigner, nonce } = bond
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
