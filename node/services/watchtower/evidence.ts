import type { PlacedShare } from '../../domain/case.ts'
import { HiveError } from '../../domain/errors.ts'
import type { Bytes32, Hex } from '../../domain/ids.ts'
import type { PaidShare } from '../../domain/voucher.ts'
import type { SignedAgreement, SignedReceipt, SignedVoucher } from '../../ports/escrow-cases.ts'
import { fromHex } from '../../protocol/bytes.ts'
import { jobsProof } from '../../protocol/jobs-root.ts'
import type { Signing } from '../signing.ts'

/** An agreement on record, if both sides signed it. */
export function agreementOf(signing: Signing, bytes: Hex): SignedAgreement | undefined {
  const { message: agreement, signatures } = signing.open('Agreement', fromHex(bytes))
  const [requesterSignature, providerSignature] = signatures
  if (requesterSignature === undefined || providerSignature === undefined) return undefined
  return { agreement, requesterSignature, providerSignature }
}

/** A receipt on record, with its signature. */
export function receiptOf(signing: Signing, bytes: Hex): SignedReceipt {
  const { message: receipt, signatures } = signing.open('Receipt', fromHex(bytes))
  return { receipt, signature: only(signatures) }
}

/** A voucher on record, with its signature. */
export function voucherOf(signing: Signing, bytes: Hex): SignedVoucher {
  const { message: voucher, signatures } = signing.open('Voucher', fromHex(bytes))
  return { voucher, signature: only(signatures) }
}

/** A place in a list of paid shares, with the proof that it is in it; `undefined` past its end. */
export function placeIn(
  paid: readonly PaidShare[],
  index: number,
): { readonly job: PlacedShare; readonly proof: readonly Bytes32[] } | undefined {
  const share = paid[index]
  if (share === undefined) return undefined
  return { job: { ...share, index }, proof: jobsProof(paid, index) }
}

function only(signatures: readonly Uint8Array[]): Uint8Array {
  const [signature] = signatures
  if (signature === undefined) throw new HiveError('INTERNAL', { reason: 'no signature' })
  return signature
}
