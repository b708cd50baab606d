import type { Agreement } from '../../domain/agreement.ts'
import type { ErrorCode } from '../../domain/error-codes.ts'
import { codeOf, HiveError } from '../../domain/errors.ts'
import {
  ZERO_ADDRESS,
  ZERO_BYTES32,
  type Address,
  type Bytes32,
  type PeerId,
} from '../../domain/ids.ts'
import { step } from '../../domain/job-state.ts'
import { agreedPrice, isMetered } from '../../domain/metering.ts'
import { isPaidByUse, pickUseTerms } from '../../domain/paid-use.ts'
import type { Placement } from '../../domain/placement.ts'
import { hour, minute } from '../../domain/units.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Requests } from '../../ports/requests.ts'
import { fromHex, toHex } from '../../protocol/bytes.ts'
import type { Signed } from '../../protocol/envelope.ts'
import { awardRequest } from '../../protocol/requests.ts'
import { taskListHash } from '../../protocol/typed-data.ts'
import { KeyedLock } from '../keyed-lock.ts'
import type { PriceNotes } from '../price-book.ts'
import type { Signing } from '../signing.ts'
import type { ReceivedBid } from './open-offer.ts'
import type { ChannelLedger } from './channel-ledger.ts'
import type { ChannelSlot } from './channel-record.ts'
import { tellToStop } from './given-up.ts'
import type { JobBook } from './job-book.ts'
import type { JobRecord, ShareRecord } from './records.ts'
import { withMeter } from './share-meter.ts'

/** How long a provider has to start a share once it has room for it, ms. */
const START_WITHIN_MS: number = 5 * minute
/** Added to the tasks' own time for fetching inputs and publishing results, ms. */
const TRANSFER_ALLOWANCE_MS: number = 10 * minute
/** How long a result can be disputed after the share is due, ms. */
const DISPUTE_WINDOW_MS: number = 24 * hour
/** Failures that leave open whether the provider has the award. */
const LINE_FAULTS: ReadonlySet<ErrorCode> = new Set(['PEER_UNREACHABLE', 'STREAM_CUT', 'CANCELLED'])

export interface AwardingParts {
  readonly clock: Clock
  readonly requests: Requests
  readonly signing: Signing
  readonly channels: ChannelLedger
  readonly book: JobBook
  /** Remembers what was agreed on. Left out: nobody does. */
  readonly prices?: PriceNotes
}

/** Turns a placed bid into an agreement that both have signed. */
export class Awarding {
  readonly #parts: AwardingParts
  /** A provider refuses a sequence number below one that it has seen: awards must not overtake each other. */
  readonly #lock = new KeyedLock()

  constructor(parts: AwardingParts) {
    this.#parts = parts
  }

  /**
   * Reserves the price, signs and sends. Returns the share, or throws what the provider answered
   * (then nothing is reserved any more and the share is on record as declined).
   */
  async award(
    job: JobRecord,
    offer: Signed<'Offer'>,
    bid: ReceivedBid,
    placement: Pick<Placement, 'tasks' | 'ahead'>,
    attempt: number,
    signal: AbortSignal,
  ): Promise<ShareRecord> {
    return this.#lock.run(bid.bid.provider, async () => {
      try {
        return await this.#award(job, offer, bid, placement, attempt, signal)
      } catch (error) {
        // A chain that was reorganised may have forgotten the channel; it is opened again by now, or was not missing.
        if (codeOf(error) !== 'CHANNEL_UNKNOWN' || !(await this.#mended(bid, signal))) throw error
        return await this.#award(job, offer, bid, placement, attempt, signal)
      }
    })
  }

  /** Sends the award again after a restart: the provider answers it as it did the first time. */
  async send(share: ShareRecord, signal: AbortSignal): Promise<ShareRecord> {
    return this.#lock.run(share.provider, async () => this.#send(share, signal))
  }

  /** Runs `work`, which agrees on something with a provider, while no other agreement with it is made. */
  async inTurn<T>(provider: Address, work: () => Promise<T>): Promise<T> {
    return this.#lock.run(provider, work)
  }

  async #award(
    job: JobRecord,
    offer: Signed<'Offer'>,
    bid: ReceivedBid,
    placement: Pick<Placement, 'tasks' | 'ahead'>,
    attempt: number,
    signal: AbortSignal,
  ): Promise<ShareRecord> {
    signal.throwIfAborted()
    const { book, channels } = this.#parts
    const price = agreedPrice(offer.message, bid.bid.price, placement.tasks.length)
    await this.#tellGivenUp(bid, signal)
    const bond = { offer: bid.bondOffer, signature: bid.bondSignature }
    const { budget } = (await book.get(job.id)).request
    const spend = { price, job: job.id, ...(budget !== undefined && { budget }) }
    let share: ShareRecord | undefined
    await channels.reserve(
      bid.peer,
      bond,
      spend,
      (slot) => {
        share = this.#draft(job, offer, bid, placement, attempt, slot)
        return share.id
      },
      signal,
    )
    if (share === undefined) throw new HiveError('INTERNAL', { at: 'reserve' })
    const awarded = step(share, 'award')
    await book.putShare(awarded, (each) => ({ ...each, shares: [...each.shares, awarded.id] }))
    const agreed = await this.#send(awarded, signal)
    this.#parts.prices?.note('agreed', offer.message, bid.bid.price)
    return agreed
  }

  async #send(share: ShareRecord, signal: AbortSignal): Promise<ShareRecord> {
    const { requests, signing, book, channels } = this.#parts
    try {
      const request = awardRequest.encode({
        agreement: fromHex(share.agreement),
        award: fromHex(share.award),
      })
      const answer = await requests.call(share.peer, 'award', request, { signal })
      const agreed = signing.openFrom('Agreement', answer, [signing.address, share.provider])
      if (agreed.id !== share.id)
        throw new HiveError('PEER_PROTOCOL', { expected: share.id, found: agreed.id })
      const signed = { ...share, agreement: toHex(agreed.bytes) }
      await book.putShare(signed)
      return signed
    } catch (error) {
      // A node that stops leaves the share as it is: the next start sends it again.
      if (codeOf(signal.reason) === 'CANCELLED') throw error
      if (signal.aborted) {
        await book.putShare({ ...step(share, 'cancel'), error: codeOf(signal.reason) })
        await channels.release(share.provider, share.id, await this.stop(share))
        throw error
      }
      const code = codeOf(error)
      await book.putShare({ ...step(share, 'decline'), error: code })
      await channels.release(share.provider, share.id, !LINE_FAULTS.has(code))
      // Whether this node's deposit is enough is not for a peer to say.
      if (code !== 'INSUFFICIENT_DEPOSIT') throw error
      throw new HiveError('PEER_PROTOCOL', { provider: share.provider, code }, { cause: error })
    }
  }

  /** As {@link tellToStop}. */
  async stop(share: { readonly id: Bytes32; readonly peer: PeerId }): Promise<boolean> {
    return tellToStop(this.#parts, share)
  }

  /** Whether a channel with a provider differed from the chain, and does not any more. */
  async #mended({ bid }: ReceivedBid, signal: AbortSignal): Promise<boolean> {
    const { channels } = this.#parts
    const open = channels.all().filter(({ provider }) => provider === bid.provider)
    const news = await Promise.all(open.map(async ({ id }) => channels.reconcile(id, signal)))
    return news.includes(true)
  }

  /** A provider counts a share as owed until it hears that it was given up. */
  async #tellGivenUp({ peer, bid }: ReceivedBid, signal: AbortSignal): Promise<void> {
    const { channels } = this.#parts
    for (const id of channels.givenUp(bid.provider)) {
      signal.throwIfAborted()
      if (await this.stop({ id, peer })) await channels.told(bid.provider, id)
    }
  }

  #draft(
    job: JobRecord,
    offer: Signed<'Offer'>,
    bid: ReceivedBid,
    placement: Pick<Placement, 'tasks' | 'ahead'>,
    attempt: number,
    slot: ChannelSlot,
  ): ShareRecord {
    const { clock, signing } = this.#parts
    const now = clock.now()
    const { tasks, ahead } = placement
    const rounds = Math.ceil((ahead + tasks.length) / bid.bid.capacity)
    const dueMs =
      now +
      START_WITHIN_MS +
      TRANSFER_ALLOWANCE_MS +
      bid.bid.etaMs +
      rounds * offer.message.taskTimeoutMs
    const message: Agreement = {
      ...slot,
      offer: offer.id,
      spec: offer.message.spec,
      input: taskListHash(tasks),
      tasks: tasks.length,
      price: agreedPrice(offer.message, bid.bid.price, tasks.length),
      stake: 0n,
      caseBond: 0n,
      verifier: ZERO_ADDRESS,
      verifierParams: ZERO_BYTES32,
      nonceCommitR: ZERO_BYTES32,
      nonceCommitP: ZERO_BYTES32,
      startBy: seconds(now + bid.bid.etaMs + START_WITHIN_MS),
      finishBy: seconds(dueMs),
      disputeUntil: seconds(dueMs + DISPUTE_WINDOW_MS),
      onUndecided: 0,
    }
    const agreement = signing.seal('Agreement', message)
    const award = signing.seal('Award', { agreement: agreement.id, tasks, issuedAt: now })
    const draft = {
      id: agreement.id,
      job: job.id,
      state: 'draft',
      provider: bid.bid.provider,
      peer: bid.peer,
      channel: slot.channel,
      seq: slot.seq,
      tasks,
      price: message.price,
      ...(isPaidByUse(offer.message) && { terms: pickUseTerms(offer.message) }),
      finishBy: message.finishBy,
      attempt,
      agreement: toHex(agreement.bytes),
      award: toHex(award.bytes),
    } as const
    const { payEveryMs } = offer.message
    return isMetered(offer.message) ? withMeter(draft, payEveryMs, now) : draft
  }
}

/** The tasks of a job that have no result yet. */
export function openTasks(job: JobRecord): number[] {
  return job.results.flatMap((result, index) => (result === null ? [index] : []))
}

function seconds(ms: number): number {
  return Math.floor(ms / 1000)
}
