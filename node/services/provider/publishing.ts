import { ZERO_BYTES32 } from '../../domain/ids.ts'
import { step } from '../../domain/job-state.ts'
import { isBillable, type TaskResult } from '../../domain/receipt.ts'
import type { Blobs } from '../../ports/blobs.ts'
import type { Clock } from '../../ports/clock.ts'
import { toHex } from '../../protocol/bytes.ts'
import { randomBytes32 } from '../../protocol/random.ts'
import { encodeManifest, manifestRoot, resultCommit } from '../../protocol/results.ts'
import type { Signing } from '../signing.ts'
import type { WorkRecord } from './records.ts'
import type { WorkBook } from './work-book.ts'

export interface PublishingParts {
  readonly clock: Clock
  readonly blobs: Blobs
  readonly signing: Signing
  readonly works: WorkBook
}

/** Keeps the manifest, signs the one receipt and puts it on record. Returns the record that carries it. */
export async function publishShare(
  { blobs, signing, works, clock }: PublishingParts,
  work: WorkRecord,
  results: readonly TaskResult[],
): Promise<WorkRecord> {
  const bytes = encodeManifest(results)
  const manifest = await blobs.add(bytes)
  const dataRoot = manifestRoot(bytes)
  const salt = randomBytes32()
  const completed = results.filter(({ reason }) => isBillable(reason)).length
  const amount = (work.price / BigInt(work.tasks.length)) * BigInt(completed)
  const receipt = signing.seal('Receipt', {
    agreement: work.id,
    completed,
    amount,
    resultCommit: resultCommit(work.id, signing.address, dataRoot, salt),
    trace: ZERO_BYTES32,
    dataRoot,
    finishedAt: Math.floor(clock.now() / 1000),
  })
  const done = {
    ...step(work, 'verify'),
    receipt: toHex(receipt.bytes),
    salt,
    manifest,
    amount,
    finishedAt: clock.now(),
  }
  // On record before anyone hears of it: exactly one receipt is ever signed for an agreement.
  await works.put(done)
  return done
}
