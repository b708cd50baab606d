import type { Bytes32 } from '../domain/ids.ts'
import type { PaidShare } from '../domain/voucher.ts'
import { codeOf } from '../domain/errors.ts'
import type { Escrow } from '../ports/escrow.ts'
import type { Logger } from '../ports/logger.ts'
import { jobsProof, jobsRoot } from '../protocol/jobs-root.ts'
import type { Requester } from '../services/requester/requester.ts'
import type { JobRecord, ShareRecord } from '../services/requester/records.ts'
import type { Signing } from '../services/signing.ts'
import type { BundleBody } from './schemas/bundle.ts'

export interface BundleParts {
  readonly requester: Requester
  readonly escrow: Escrow
  readonly signing: Signing
  readonly logger: Logger
}

/**
 * What proves a job to somebody else: every agreement with its signatures, receipts, vouchers, and
 * for each paid share the way to the root of every claim that covers it. Amounts and partners of
 * other jobs are not in it. When the chain does not answer, only the newest voucher is covered.
 */
export async function bundleOf(
  parts: BundleParts,
  job: JobRecord,
  signal: AbortSignal,
): Promise<BundleBody> {
  const { requester, escrow, signing } = parts
  const shares = await requester.book.sharesOf(job)
  const channels = [...new Set(shares.map(({ channel }) => channel))]
  const counts = new Map(
    await Promise.all(
      channels.map(async (id) => [id, await claimedCounts(parts, id, signal)] as const),
    ),
  )
  return {
    version: 2,
    chainId: escrow.chainId,
    escrow: escrow.address,
    requester: signing.address,
    job: job.id,
    spec: job.specCid,
    tasks: job.request.spec.tasks,
    shares: shares.map((share) =>
      shareOf(
        share,
        requester.channels.vouchers.paidSince(share.channel, 0),
        counts.get(share.channel) ?? [],
      ),
    ),
    channels: channels.map((id) => {
      const voucher = requester.channels.vouchers.newest(id)
      return { id, ...(voucher !== undefined && { voucher }) }
    }),
  }
}

function shareOf(
  share: ShareRecord,
  paid: readonly PaidShare[],
  claimed: readonly number[],
): BundleBody['shares'][number] {
  const { id, channel, seq, agreement, award, receipt, amount } = share
  const at = paid.findIndex((each) => each.agreement === id)
  const covering = [...new Set([...claimed, paid.length])]
    .filter((jobs) => at >= 0 && jobs > at)
    .sort((a, b) => a - b)
  return {
    id,
    channel,
    seq,
    agreement,
    award,
    ...(receipt !== undefined && { receipt }),
    ...(amount !== undefined && { amount: amount.toString() }),
    proofs: covering.map((jobs) => {
      const first = paid.slice(0, jobs)
      return { jobs, index: at, jobsRoot: jobsRoot(first), siblings: jobsProof(first, at) }
    }),
  }
}

async function claimedCounts(
  { escrow, logger }: BundleParts,
  channel: Bytes32,
  signal: AbortSignal,
): Promise<number[]> {
  try {
    const events = await escrow.events({ fromBlock: 0, channel }, { signal })
    return events.flatMap((event) => (event.type === 'claimed' ? [event.jobs] : []))
  } catch (error) {
    if (signal.aborted) throw error
    logger.warn('bundle made without the claims', { channel, code: codeOf(error) })
    return []
  }
}
