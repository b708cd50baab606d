import { agreementFault, type Agreement } from '../../domain/agreement.ts'
import { HiveError } from '../../domain/errors.ts'
import type { Bytes32, PeerId } from '../../domain/ids.ts'
import { isFinal, step } from '../../domain/job-state.ts'
import { agreedPrice, INTERVALS_AGREED, isMetered } from '../../domain/metering.ts'
import type { Amount } from '../../domain/money.ts'
import { pickAsk } from '../../domain/offer-ask.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Escrow } from '../../ports/escrow.ts'
import { fromHex, toHex } from '../../protocol/bytes.ts'
import type { Signed } from '../../protocol/envelope.ts'
import { addressOfPeer } from '../../protocol/identity.ts'
import { awardRequest } from '../../protocol/requests.ts'
import { taskListHash } from '../../protocol/typed-data.ts'
import { KeyedLock } from '../keyed-lock.ts'
import type { Signing } from '../signing.ts'
import type { Admission } from './admission.ts'
import type { Booking } from './booking.ts'
import type { Credit } from './credit.ts'
import type { Earnings } from './earnings.ts'
import type { StandingBid } from './intake.ts'
import type { IntervalRecord } from './interval-book.ts'
import type { WorkRecord } from './records.ts'
import type { WorkBook } from './work-book.ts'

export interface AwardDeskParts {
  readonly clock: Clock
  readonly escrow: Escrow
  readonly signing: Signing
  readonly works: WorkBook
  readonly earnings: Earnings
  readonly admission: Admission
  readonly credit: Credit
  readonly booking: Pick<Booking, 'take'>
  /** The bid that an agreement about an offer can follow from. */
  readonly standing: (offer: Bytes32) => StandingBid | undefined
  /** Called with each share that this node has taken, once it is on record, and its place in the line. */
  readonly onTaken: (work: WorkRecord, place: Disposable) => void
}

/** Most that the node posts in a case over one share: nothing, as long as it takes part in none. */
const MAX_CASE_BOND: Amount = 0n

/** Where awards arrive: checks each agreement against the bid and the chain, and countersigns it. */
export class AwardDesk {
  readonly #parts: AwardDeskParts
  readonly #lock = new KeyedLock()

  constructor(parts: AwardDeskParts) {
    this.#parts = parts
  }

  /** Countersigns an agreement that follows from a standing bid; the share is on record by then. */
  async take(from: PeerId, bytes: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
    const { signing, works, standing: standingBid, onTaken } = this.#parts
    const request = awardRequest.decode(bytes)
    const requester = addressOfPeer(from)
    const agreement = signing.openFrom('Agreement', request.agreement, [requester])
    const award = signing.openFrom('Award', request.award, [requester])
    if (award.message.agreement !== agreement.id)
      throw new HiveError('AGREEMENT_INVALID', { rule: 'R2' })
    // a requester's awards come one at a time, on however many channels: each adds to what the next may risk
    return this.#lock.run(requester, async () => {
      const known = await works.get(agreement.id)
      if (known !== undefined) return signing.countersign(agreement).bytes
      if (request.renews !== undefined) {
        const work = await works.get(request.renews)
        if (work?.peer !== from)
          throw new HiveError('AGREEMENT_UNKNOWN', { agreement: request.renews })
        return this.#renew(work, agreement, award, signal)
      }
      const standing = standingBid(agreement.message.offer)
      if (standing === undefined || standing.requester !== from) throw new HiveError('BID_EXPIRED')
      // until it is on record, whatever goes wrong gives the place back
      using taken = new DisposableStack()
      taken.use(await this.#check(agreement, award, standing, signal))
      const countersigned = signing.countersign(agreement)
      const work = this.#record(countersigned, award.message.tasks, standing)
      await works.putWith(work, () =>
        isMetered(work.ask) ? [intervalOf(work, countersigned, 1)] : [],
      )
      onTaken(work, taken.move())
      return countersigned.bytes
    })
  }

  /** Countersigns the agreement about one more interval of a share that is paid by the second. */
  async #renew(
    work: WorkRecord,
    agreement: Signed<'Agreement'>,
    award: Signed<'Award'>,
    signal: AbortSignal,
  ): Promise<Uint8Array> {
    const { escrow, signing, clock, works, earnings } = this.#parts
    const { intervals } = works
    if (intervals.get(agreement.id)?.share === work.id) return signing.countersign(agreement).bytes
    const open = intervals.of(work.id).filter(({ state }) => state === 'agreed')
    if (!isMetered(work.ask) || isFinal(work.state) || work.receipt !== undefined)
      throw new HiveError('AGREEMENT_UNKNOWN', { agreement: work.id })
    if (open.length >= INTERVALS_AGREED) throw new HiveError('AGREEMENT_INVALID', { rule: 'R4' })
    const { message } = signing.open('Agreement', fromHex(work.agreement))
    const { channel: id } = message
    const [channel, earning] = [await escrow.channel(id, { signal }), earnings.get(id)]
    if (channel === undefined) throw new HiveError('CHANNEL_UNKNOWN', { channel: id })
    const isSame = agreement.message.offer === message.offer && agreement.message.channel === id
    if (!isSame) throw new HiveError('AGREEMENT_INVALID', { rule: 'R2' })
    const rule = agreementFault(agreement.message, award.message, {
      requester: work.requester,
      provider: signing.address,
      offerSpec: work.spec,
      offerTasks: work.tasks.length,
      mayTakeMs: 0,
      bidPrice: work.price / BigInt(work.tasks.length),
      bidValidUntil: Infinity,
      channel: { ...channel, open: channel.status === 'open' },
      committed: (earning?.cumulative ?? 0n) + works.owedOn(id),
      lastSeq: earning?.lastSeq ?? 0,
      maxCaseBond: MAX_CASE_BOND,
      inputHash: taskListHash(work.tasks),
      now: clock.now(),
    })
    if (rule !== undefined) throw new HiveError('AGREEMENT_INVALID', { rule })
    await earnings.note(channel, agreement.message.seq)
    const countersigned = signing.countersign(agreement)
    const number = (open.at(-1)?.number ?? intervals.ended(work.id)) + 1
    await works.changeIntervals(work.id, () => [intervalOf(work, countersigned, number)])
    return countersigned.bytes
  }

  /** Resolves with the share's place in the line. */
  async #check(
    agreement: Signed<'Agreement'>,
    award: Signed<'Award'>,
    { offer, bid }: StandingBid,
    signal: AbortSignal,
  ): Promise<Disposable> {
    const { escrow, signing, clock, works, earnings, admission, credit, booking } = this.#parts
    const { channel: id, tasks, finishBy } = agreement.message
    await admission.confirm(offer.message)
    await credit.confirm(offer.message, agreement.message.price, signal)
    const channel = await escrow.channel(id, { signal })
    if (channel === undefined) throw new HiveError('CHANNEL_UNKNOWN', { channel: id })
    const earning = earnings.get(id)
    const committed = (earning?.cumulative ?? 0n) + works.owedOn(id)
    if (committed + agreement.message.price > channel.deposit)
      throw new HiveError('DECLINED_EXPOSURE', { committed })
    const rule = agreementFault(agreement.message, award.message, {
      requester: offer.message.requester,
      provider: signing.address,
      offerSpec: offer.message.spec,
      offerTasks: offer.message.tasks,
      mayTakeMs: bid.etaMs + Math.ceil(tasks / bid.capacity) * offer.message.taskTimeoutMs,
      bidPrice: agreedPrice(offer.message, bid.price, 1),
      bidValidUntil: bid.validUntil,
      channel: { ...channel, open: channel.status === 'open' },
      committed,
      lastSeq: earning?.lastSeq ?? 0,
      maxCaseBond: MAX_CASE_BOND,
      inputHash: taskListHash(award.message.tasks),
      now: clock.now(),
    })
    if (rule !== undefined) throw new HiveError('AGREEMENT_INVALID', { rule })
    const { requester, spec } = offer.message
    const share = { id: agreement.id, requester, spec, ask: pickAsk(offer.message), tasks }
    using taken = new DisposableStack()
    taken.use(booking.take(share, finishBy))
    await earnings.note(channel, agreement.message.seq)
    return taken.move()
  }

  #record(
    agreement: Signed<'Agreement'>,
    tasks: readonly number[],
    { offer, requester }: StandingBid,
  ): WorkRecord {
    const { channel, seq, spec, price, finishBy }: Agreement = agreement.message
    const draft = {
      id: agreement.id,
      state: 'draft',
      requester: offer.message.requester,
      peer: requester,
      channel,
      seq,
      spec,
      tasks,
      ask: pickAsk(offer.message),
      price,
      finishBy,
      startedAt: this.#parts.clock.now(),
      agreement: toHex(agreement.bytes),
    } as const
    return step<WorkRecord>(draft, 'award')
  }
}

function intervalOf(
  { id, requester }: WorkRecord,
  agreement: Signed<'Agreement'>,
  number: number,
): IntervalRecord {
  const { channel, seq, price, finishBy } = agreement.message
  return {
    id: agreement.id,
    share: id,
    number,
    requester,
    channel,
    seq,
    price,
    state: 'agreed',
    finishBy,
    agreement: toHex(agreement.bytes),
  }
}
