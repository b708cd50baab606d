import { ZERO_BYTES32, type Bytes32 } from '../../domain/ids.ts'
import { step } from '../../domain/job-state.ts'
import type { Amount } from '../../domain/money.ts'
import { billedFor } from '../../domain/paid-use.ts'
import { isBillable, type TaskResult } from '../../domain/receipt.ts'
import type { Blobs } from '../../ports/blobs.ts'
import type { Clock } from '../../ports/clock.ts'
import { toHex } from '../../protocol/bytes.ts'
import { randomBytes32 } from '../../protocol/random.ts'
import { encodeManifest, manifestRoot, resultCommit } from '../../protocol/results.ts'
import type { Signing } from '../signing.ts'
import type { IntervalRecord } from './interval-book.ts'
import type { LastInterval } from './meter.ts'
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
  last?: LastInterval,
): Promise<WorkRecord> {
  const bytes = encodeManifest(results)
  const manifest = await blobs.add(bytes)
  const dataRoot = manifestRoot(bytes)
  const salt = randomBytes32()
  const completed = results.filter(({ reason }) => isBillable(reason)).length
  const finishedAt = clock.now()
  const receiptOf = (agreement: Bytes32, amount: Amount) =>
    signing.seal('Receipt', {
      agreement,
      completed,
      amount,
      resultCommit: resultCommit(agreement, signing.address, dataRoot, salt),
      trace: ZERO_BYTES32,
      dataRoot,
      finishedAt: Math.floor(finishedAt / 1000),
    })
  const agreement = last?.interval.id ?? work.id
  const amount = last === undefined ? billed(work, results) : owed(last, completed)
  const receipt = receiptOf(agreement, amount)
  const done = {
    ...step(work, 'verify'),
    receipt: toHex(receipt.bytes),
    salt,
    manifest,
    amount,
    finishedAt,
  }
  // On record before anyone hears of it: exactly one receipt is ever signed for an agreement.
  const ended = (each: IntervalRecord): readonly IntervalRecord[] => {
    if (each.id === agreement && each.state === 'agreed') {
      const bytes = toHex(receipt.bytes)
      if (amount === 0n) return [{ ...each, state: 'void' }]
      return [{ ...each, state: 'due', amount, receipt: bytes, endedAt: finishedAt }]
    }
    if (each.state === 'agreed') return [{ ...each, state: 'void' }]
    const bytes = each.id === agreement ? receipt.bytes : receiptOf(each.id, each.price).bytes
    return each.state === 'due' ? [{ ...each, receipt: toHex(bytes) }] : []
  }
  await works.putWith(done, (intervals) => intervals.flatMap(ended))
  if (last !== undefined) await works.settleIfPaid(work.id)
  return done
}

/** What is asked for a share whose tasks ended so. */
function billed({ ask, price, tasks }: WorkRecord, results: readonly TaskResult[]): Amount {
  return billedFor(ask, price / BigInt(tasks.length), results)
}

/** What is asked for the interval in which a share ended; one that had ended by itself is owed whatever came after. */
function owed({ interval, amount }: LastInterval, completed: number): Amount {
  return interval.state === 'agreed' && completed === 0 ? 0n : amount
}
