import type { Bytes32, Hex } from '../../domain/ids.ts'
import type { Amount } from '../../domain/money.ts'
import type { PaidShare } from '../../domain/voucher.ts'
import { fromHex } from '../../protocol/bytes.ts'
import { NO_JOBS, rootOf, withShare, type JobsTree } from '../../protocol/jobs-root.ts'
import { MAX_VOUCHER_SHARES } from '../../protocol/limits.ts'
import type { VoucherRequest } from '../../protocol/requests.ts'
import type { Signing } from '../signing.ts'
import type { ChannelBook } from './channel-book.ts'
import type { ChannelRecord } from './channel-record.ts'

/** Vouchers over what was paid on channels. The same shares always give the same bytes. */
export class ChannelVouchers {
  readonly #parts: { readonly signing: Signing; readonly book: ChannelBook }

  constructor(parts: { readonly signing: Signing; readonly book: ChannelBook }) {
    this.#parts = parts
  }

  over(channel: Bytes32, cumulative: Amount, tree: JobsTree): Uint8Array {
    const message = { channel, cumulative, jobs: tree.jobs, jobsRoot: rootOf(tree) }
    return this.#parts.signing.seal('Voucher', message).bytes
  }

  /** The newest one of a channel, also of a channel that is closed. */
  newest(channel: Bytes32): Hex | undefined {
    return this.#parts.book.get(channel)?.voucher
  }

  /** The shares paid on a channel beyond the first `from`. */
  paidSince(channel: Bytes32, from: number): readonly PaidShare[] {
    return this.#parts.book.paid(channel).slice(from)
  }

  /** The newest voucher that one request can carry, with the shares it pays beyond the acknowledged ones. */
  unacknowledged(record: ChannelRecord): VoucherRequest {
    const paid = this.#parts.book.paid(record.id)
    const upTo = Math.min(paid.length, record.acknowledged + MAX_VOUCHER_SHARES)
    const shares = paid.slice(record.acknowledged, upTo)
    if (upTo === record.jobs && record.voucher !== undefined)
      return { voucher: fromHex(record.voucher), shares }
    const carried = paid.slice(0, upTo)
    const cumulative = carried.reduce((sum, { amount }) => sum + amount, 0n)
    return { voucher: this.over(record.id, cumulative, carried.reduce(withShare, NO_JOBS)), shares }
  }
}
