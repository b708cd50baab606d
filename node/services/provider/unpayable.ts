import type { Bytes32 } from '../../domain/ids.ts'
import { step } from '../../domain/job-state.ts'
import type { Clock } from '../../ports/clock.ts'
import { isBuried } from '../buried.ts'
import type { Earnings } from './earnings.ts'
import { over } from './interval-book.ts'
import type { UnderWay } from './under-way.ts'
import type { WorkBook } from './work-book.ts'

export interface UnpayableParts {
  readonly clock: Clock
  readonly works: WorkBook
  readonly earnings: Earnings
  readonly underWay: UnderWay
}

/**
 * Ends the shares on channels that pay no more. What runs is ended when its channel is seen closed; what was delivered
 * is written off once neither the close nor the loss of the channel can be undone. Returns how many shares there were.
 */
export async function endUnpayable(parts: UnpayableParts): Promise<number> {
  const { clock, works, earnings } = parts
  let ended = 0
  for (const channel of works.owingChannels()) {
    const { closed, closedAt, missingSince } = earnings.get(channel) ?? {}
    const isClosed = closed === true
    const isFinal =
      (isClosed || missingSince !== undefined) && isBuried(closedAt ?? missingSince, clock.now())
    if (isClosed || isFinal) ended += await endRunning(parts, channel)
    if (isFinal) ended += await writeOff(parts, channel)
  }
  return ended
}

async function endRunning({ works, underWay }: UnpayableParts, channel: Bytes32): Promise<number> {
  const running = works.unpaidOn(channel).filter(({ receipt }) => receipt === undefined)
  const ended = await Promise.all(running.map(async ({ id }) => underWay.giveUp(id, 'INTERRUPTED')))
  return ended.filter(Boolean).length
}

/** What is delivered, and intervals of shares that ended before: neither is owed any more. */
async function writeOff({ works }: UnpayableParts, channel: Bytes32): Promise<number> {
  const delivered = works.unpaidOn(channel).filter(({ receipt }) => receipt !== undefined)
  for (const work of delivered) {
    const cancelled = { ...step(work, 'cancel'), error: 'CHANNEL_CLOSED' } as const
    await works.putWith(cancelled, over('left'))
  }
  const due = works.intervals.all().filter((each) => each.channel === channel)
  const shares = new Set(due.filter(({ state }) => state === 'due').map(({ share }) => share))
  for (const share of shares) await works.changeIntervals(share, over('left'))
  return delivered.length + shares.size
}
