import { tallied, talliedCodes, type OfferAnswers } from '../../domain/decline.ts'
import { codeOf, HiveError } from '../../domain/errors.ts'
import type { BiddingOutcome } from './open-offer.ts'
import type { JobRecord } from './records.ts'

/** Most offers of one job whose answers are kept. */
const MAX_KEPT = 8

/** How an offer went, with nobody's name in it. */
export function answersOf(
  { bids, declines, asked, listeners, silent }: BiddingOutcome,
  refusals: readonly Error[],
  tasks: Pick<OfferAnswers, 'at' | 'tasks' | 'placed' | 'unplaced'>,
): OfferAnswers {
  return {
    ...tasks,
    asked,
    ...(listeners > asked && { listeners }),
    silent,
    bids: bids.length,
    declines: tallied(Object.values(declines)),
    refusals: talliedCodes(refusals.map(codeOf)),
  }
}

/** A job with one more offer's answers, if there is anything in them that a user may want to know. */
export function withAnswers(job: JobRecord, answers: OfferAnswers): JobRecord {
  return { ...job, answers: [...(job.answers ?? []), answers].slice(-MAX_KEPT) }
}

/** Whether somebody said no, or tasks were left over. */
export function isTelling({ tasks, placed, declines, refusals }: OfferAnswers): boolean {
  return placed < tasks || declines.length > 0 || refusals.length > 0
}

/** What ends a job whose tasks nobody takes. `untried`: bids of providers that have not failed it before. */
export function unplacedError(answers: OfferAnswers, untried: number): HiveError {
  const { tasks, placed, asked, silent, bids, declines, refusals, unplaced } = answers
  const reasons = [...new Set([...declines, ...refusals].map(({ code }) => code))]
  const declined = [...declines, ...refusals].reduce((sum, { count }) => sum + count, 0)
  const code = unplaced?.code ?? (untried === 0 && bids > 0 ? 'NO_PROVIDER_LEFT' : 'NO_BIDS')
  return new HiveError(code, { tasks, placed, bids: untried, asked, silent, declined, reasons })
}
