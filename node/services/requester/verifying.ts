import { HiveError } from '../../domain/errors.ts'
import { filesOf, type JobSpec } from '../../domain/job-spec.ts'
import type { Receipt, OutputFile, TaskResult } from '../../domain/receipt.ts'
import { receiptFault } from '../../domain/receipt.ts'
import type { Blobs } from '../../ports/blobs.ts'
import type { Clock } from '../../ports/clock.ts'
import { MiB } from '../../domain/units.ts'
import { MAX_FILE_BYTES, MAX_MANIFEST_BYTES, MAX_OUTPUT_BYTES } from '../../protocol/limits.ts'
import { decodeManifest, manifestRoot, resultCommit } from '../../protocol/results.ts'
import { mapLimited } from '../limited.ts'
import type { Signing } from '../signing.ts'
import type { LastEvent } from './following.ts'
import type { Bill } from './metering.ts'
import type { ShareRecord } from './records.ts'

/** Outputs fetched at the same time; bitswap gains nothing from more. */
const FETCH_LANES = 8
/** What a sandbox may round a disk up by, bytes. */
const DISK_ROUNDING_BYTES: number = 1 * MiB

export interface VerifyingParts {
  readonly blobs: Blobs
  readonly clock: Clock
  readonly signing: Signing
}

/** A receipt that holds, with the results it stands for; all bytes are on this node. */
export interface VerifiedShare {
  readonly receipt: Receipt
  readonly results: readonly TaskResult[]
}

/**
 * Checks a receipt against its agreement and fetches every result byte. Throws `RECEIPT_INVALID`,
 * `SIGNATURE_INVALID`, `MESSAGE_*` or `RESULT_UNAVAILABLE`; then nothing is owed.
 */
export async function verifyShare(
  parts: VerifyingParts,
  share: ShareRecord,
  bill: Bill,
  spec: JobSpec,
  last: Extract<LastEvent, { type: 'receipt' }>,
  signal: AbortSignal,
): Promise<VerifiedShare> {
  const { message: receipt } = parts.signing.openFrom('Receipt', last.receipt, [share.provider])
  // [REJECT] receipts R1: it is for this agreement
  if (receipt.agreement !== bill.agreement) throw invalid('R1')
  const bytes = await fetchFrom(parts.blobs, share, last.manifest, MAX_MANIFEST_BYTES, signal)
  // [REJECT] receipts R5: the manifest is the one committed to, and the commitment opens
  const root = manifestRoot(bytes)
  if (root !== receipt.dataRoot) throw invalid('R5')
  if (resultCommit(bill.agreement, share.provider, root, last.salt) !== receipt.resultCommit)
    throw invalid('R5')
  const results = decodeManifest(bytes)
  const rule = receiptFault(receipt, results, share.tasks, bill.asked)
  if (rule !== undefined) throw invalid(rule)
  // [REJECT] receipts R7: no task left or printed more than it was allowed to
  if (results.some((result) => isOversized(result, spec))) throw invalid('R7')
  const files = results.flatMap((result) => [result.stdout, result.stderr, ...result.files])
  await mapLimited(distinct(files), FETCH_LANES, async (file) => {
    const content = await fetchFrom(
      parts.blobs,
      share,
      file.cid,
      Math.min(file.size, MAX_FILE_BYTES),
      signal,
    )
    // [REJECT] receipts R6: every output is there, and as long as it says
    if (content.byteLength !== file.size)
      throw new HiveError('RESULT_UNAVAILABLE', { path: file.path, rule: 'R6' })
  })
  return { receipt, results }
}

async function fetchFrom(
  blobs: Blobs,
  share: ShareRecord,
  cid: string,
  maxBytes: number,
  signal: AbortSignal,
): Promise<Uint8Array> {
  try {
    return await blobs.get(cid, { from: share.peer, maxBytes, signal })
  } catch (cause) {
    if (signal.aborted) throw cause
    throw new HiveError('RESULT_UNAVAILABLE', { cid, provider: share.provider }, { cause })
  }
}

/** Looked at before anything is fetched: the sizes are a stranger's, the disk they would fill is ours. */
function isOversized({ index, files, stdout, stderr }: TaskResult, spec: JobSpec): boolean {
  const sum = (all: readonly { readonly size: number }[]) =>
    all.reduce((n, { size }) => n + size, 0)
  const room = spec.resources.diskBytes + sum(filesOf(spec, index)) + DISK_ROUNDING_BYTES
  return sum(files) > room || stdout.size + stderr.size > MAX_OUTPUT_BYTES
}

function distinct(files: readonly OutputFile[]): OutputFile[] {
  return [...new Map(files.map((file) => [`${file.cid} ${file.size}`, file])).values()]
}

function invalid(rule: string): HiveError {
  return new HiveError('RECEIPT_INVALID', { rule })
}
