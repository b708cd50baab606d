import type { ErrorCode } from '../../domain/error-codes.ts'
import type { Escrow, SignedVoucher } from '../../ports/escrow.ts'
import type { Logger } from '../../ports/logger.ts'
import { fromHex } from '../../protocol/bytes.ts'
import type { Signing } from '../signing.ts'
import type { EarningRecord } from './records.ts'

/** Channels claimed in one transaction: at 16,000 gas each a tenth of what one may use (EIP-7825). */
export const MAX_CLAIMS_AT_ONCE = 100

/** Failures of a batch that one channel may have caused: the others need not suffer. */
export const ALONE_IS_WORTH_A_TRY: ReadonlySet<ErrorCode> = new Set([
  'CHAIN_REVERTED',
  'CHAIN_ANSWER_INVALID',
  'CHANNEL_UNKNOWN',
])

/** The highest voucher of a channel, while the record says that some of it is not paid out. */
export function voucherToClaim(
  record: EarningRecord | undefined,
  signing: Signing,
): SignedVoucher | undefined {
  if (record?.voucher === undefined || record.closed === true) return undefined
  if (record.claimed >= record.cumulative) return undefined
  const { message: voucher, signatures } = signing.open('Voucher', fromHex(record.voucher))
  const [signature] = signatures
  return signature === undefined ? undefined : { voucher, signature }
}

/** Claims all of these in one transaction, and waits for it. Throws what {@link Escrow} does. */
export async function sendClaims(
  { escrow, logger }: { readonly escrow: Escrow; readonly logger: Logger },
  claims: readonly SignedVoucher[],
  signal: AbortSignal,
): Promise<void> {
  const [first, second] = claims
  if (first === undefined) return
  if (second === undefined) {
    const { channel, cumulative } = first.voucher
    const { gasUsed: gas } = await escrow.claim(first.voucher, first.signature, { signal })
    logger.info('claimed', { channel, cumulative, gas })
    return
  }
  const { gasUsed: gas } = await escrow.claimMany(claims, { signal })
  logger.info('claimed on several channels', { channels: claims.length, gas })
}
