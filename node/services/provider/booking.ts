import { HiveError } from '../../domain/errors.ts'
import type { Address, Bytes32 } from '../../domain/ids.ts'
import { MAX_TASK_TIMEOUT_MS, type Offer } from '../../domain/offer.ts'
import { pickAsk, type OfferAsk } from '../../domain/offer-ask.ts'
import type { Room } from '../../domain/queue-forecast.ts'
import { taskNeedOf } from '../../domain/task-need.ts'
import { second } from '../../domain/units.ts'
import type { Clock } from '../../ports/clock.ts'
import type { PaceBook } from './pace-book.ts'
import type { ShareNeed } from './share-line.ts'
import type { Slots } from './slots.ts'

export interface BookingParts {
  readonly clock: Pick<Clock, 'now'>
  readonly slots: Slots
  readonly pace: PaceBook
}

/** A share as the line knows it. */
export interface BookedShare {
  /** The agreement's. */
  readonly id: Bytes32
  readonly requester: Address
  readonly spec: Bytes32
  readonly ask: OfferAsk
  readonly tasks: number
}

/** Says when the machine has room for an offer, and books the shares that are awarded. */
export class Booking {
  readonly #parts: BookingParts
  readonly #maxQueue: number

  /** `maxQueue`: tasks that may wait before no further share is taken. */
  constructor(parts: BookingParts, maxQueue: number) {
    this.#parts = parts
    this.#maxQueue = maxQueue
  }

  /** When how many of an offer's tasks find room; `undefined` where it is not in sight (docs/protocol/bids.md R9). */
  quote(offer: Offer): Room | undefined {
    const room = this.#parts.slots.roomFor(this.#needOf({ ...offer, ask: pickAsk(offer) }))
    return room !== undefined && room.etaMs <= MAX_TASK_TIMEOUT_MS ? room : undefined
  }

  /**
   * Books a share that is to end by `finishBy`, Unix seconds. As nothing happens between the look and the booking, bids
   * that stand beside each other commit the machine to no more than one of them could. A job's own tasks do not count
   * against its further shares: the bid was for all of them.
   * @throws HiveError DECLINED_BUSY when others fill the queue, or it is too long for the share to end in time
   */
  take(share: BookedShare, finishBy: number): Disposable {
    const { slots, clock } = this.#parts
    const need = this.#needOf(share)
    const waiting = slots.waitingBeside(need.job)
    if (waiting >= this.#maxQueue) throw new HiveError('DECLINED_BUSY', { waiting })
    const endsAt = clock.now() + slots.endOf(need)
    if (endsAt > finishBy * second) throw new HiveError('DECLINED_BUSY', { endsAt })
    return this.book(share)
  }

  /** Books a share that was taken already. */
  book(share: BookedShare): Disposable {
    return this.#parts.slots.book(share.id, this.#needOf(share))
  }

  #needOf({ requester, spec, ask, tasks }: Omit<BookedShare, 'id'>): ShareNeed {
    const { pace } = this.#parts
    return {
      job: `${requester} ${spec}`,
      need: taskNeedOf(ask),
      tasks,
      mostMs: ask.taskTimeoutMs,
      expectedMs: () => pace.expectedMs(requester, ask),
    }
  }
}
