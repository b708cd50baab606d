import { Signature } from 'ethers'
import { HiveError } from '../../domain/errors.ts'
import type { SignedVoucher } from '../../ports/escrow.ts'
import { toHex } from '../../protocol/bytes.ts'
import type { ChannelParties } from './escrow-events.ts'

/**
 * The arguments of `claimMany`, which names the provider once. `whose` has the parties of each
 * channel, in the same order. Throws `INTERNAL` when they are not all of one provider.
 */
export function batchOf(
  items: readonly SignedVoucher[],
  whose: readonly ChannelParties[],
): readonly unknown[] {
  const [first] = whose
  const isShared = whose.every(
    ({ provider, providerSigner }) =>
      provider === first?.provider && providerSigner === first.providerSigner,
  )
  if (first === undefined || !isShared)
    throw new HiveError('INTERNAL', { action: 'claimMany', reason: 'not one provider' })
  const vouchers = items.map(({ voucher, signature }, at) => {
    const { r, yParityAndS: vs } = Signature.from(toHex(signature))
    const { cumulative, jobs, jobsRoot } = voucher
    const { requester, nonce } = whose[at] ?? first
    return { requester, nonce, cumulative, jobs, jobsRoot, r, vs }
  })
  return [first.provider, first.providerSigner, vouchers]
}
