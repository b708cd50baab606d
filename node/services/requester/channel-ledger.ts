import { HiveError } from '../../domain/errors.ts'
import type { Address, Bytes32, PeerId } from '../../domain/ids.ts'
import type { Amount } from '../../domain/money.ts'
import type { SpendingLimits } from '../../domain/spending.ts'
import type { PaidShare } from '../../domain/voucher.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Escrow } from '../../ports/escrow.ts'
import type { Store, StoreChange } from '../../ports/store.ts'
import { toHex } from '../../protocol/bytes.ts'
import { withShare } from '../../protocol/jobs-root.ts'
import { isBuried } from '../buried.ts'
import { KeyedLock } from '../keyed-lock.ts'
import type { Signing } from '../signing.ts'
import { ChannelBook } from './channel-book.ts'
import { draftChannel, openingChannel } from './channel-draft.ts'
import { ChannelFunding, type ChannelFundingOptions, type SignedBond } from './channel-funding.ts'
import {
  committed,
  reserved,
  sumOf,
  sumOpen,
  withReservation,
  without,
  type ChannelRecord,
  type ChannelSlot,
} from './channel-record.ts'
import { ChannelVouchers } from './channel-vouchers.ts'
import { SpendingLedger, type Spend } from './spending-ledger.ts'

export interface ChannelLedgerParts {
  readonly clock: Clock
  readonly store: Store
  readonly escrow: Escrow
  readonly signing: Signing
}

export interface ChannelLedgerOptions extends ChannelFundingOptions {
  /** @default none */
  readonly limits?: SpendingLimits
  /** Called when a share was given up whose provider does not know it. @default nothing */
  readonly onGivenUp?: (provider: Address) => void
}

/**
 * The requester's channels: reserves money before an award and pays each share exactly once. New
 * shares go to the newest open channel with their provider; what is owed on any other is settled
 * there until the contract says that it is closed.
 */
export class ChannelLedger {
  /** What was agreed on, by job and day, and the limits of that. */
  readonly spent: SpendingLedger
  readonly vouchers: ChannelVouchers
  readonly #parts: ChannelLedgerParts
  readonly #book: ChannelBook
  readonly #funding: ChannelFunding
  readonly #onGivenUp: (provider: Address) => void
  readonly #lock = new KeyedLock()

  constructor(parts: ChannelLedgerParts, options: ChannelLedgerOptions) {
    this.#parts = parts
    this.#book = new ChannelBook(parts.store)
    this.#funding = new ChannelFunding({ ...parts, book: this.#book }, options)
    this.vouchers = new ChannelVouchers({ ...parts, book: this.#book })
    this.spent = new SpendingLedger(
      { ...parts, outstanding: () => sumOf(this.all(), reserved) },
      options.limits ?? {},
    )
    this.#onGivenUp = options.onGivenUp ?? (() => {})
  }

  /** Reads the channels back after a start. */
  async load(): Promise<void> {
    await this.#book.load()
    await this.spent.load(this.all().flatMap(({ purposes = {} }) => Object.values(purposes)))
  }

  /** Channels that the contract does not say are closed, those being opened included. */
  all(): readonly ChannelRecord[] {
    return this.#book.live()
  }

  /** All of them, those that are over included. */
  every(): readonly ChannelRecord[] {
    return this.#book.all()
  }

  /** Whether a channel is on record. */
  knows(channel: Bytes32): boolean {
    return this.#book.get(channel) !== undefined
  }

  /** Whether new shares of a provider find an open channel. */
  has(provider: Address): boolean {
    return this.#book.openWith(provider) !== undefined
  }

  /** Runs `work`, which takes money out of the account, while no channel is opened or topped up from it. */
  async spending<T>(work: () => Promise<T>): Promise<T> {
    return this.#funding.spending(work)
  }

  /** What all open channels could still pay beyond what is promised or agreed. */
  uncommitted(): Amount {
    return sumOpen(this.all(), (each) => each.deposit - committed(each))
  }

  /** In open channels and not promised to anybody yet, reserved or not. */
  unspent(): Amount {
    return sumOpen(this.all(), (each) => each.deposit - each.cumulative)
  }

  /**
   * Reserves a price in the channel with a provider, opening or topping it up on chain when it
   * cannot carry it. `build` makes the agreement for the slot and returns its id, which a new
   * channel anchors. Throws what the escrow throws, INSUFFICIENT_DEPOSIT, and as {@link SpendingLedger.leave}.
   */
  async reserve(
    peer: PeerId,
    bond: SignedBond,
    spend: Spend,
    build: (slot: ChannelSlot) => Bytes32,
    signal: AbortSignal,
  ): Promise<void> {
    const { provider } = bond.offer
    const { price } = spend
    const reserving = async () => {
      for (const each of this.#book.live(provider))
        if (each.status === 'opening') await this.#funding.resume(each, signal)
      const known = this.#book.openWith(provider)
      const record = known ?? draftChannel(this.#parts, peer, bond.offer)
      await this.#reserveIn(record, spend, build, async (owedAfter, agreement) =>
        known === undefined
          ? this.#funding.open(openingChannel(record, bond, agreement), owedAfter, signal)
          : this.#funding.ensure(record, owedAfter, price, signal),
      )
    }
    await this.#funding.wanting(price, async () => this.#lock.run(provider, reserving))
  }

  /**
   * As {@link reserve} on one channel alone, for a share that goes on there. Throws `CHANNEL_UNKNOWN` when no new
   * agreement may go there any more.
   */
  async reserveOn(
    channel: Bytes32,
    spend: Spend,
    build: (slot: ChannelSlot) => Bytes32,
    signal: AbortSignal,
  ): Promise<void> {
    const reserving = async (record: ChannelRecord) => {
      if (record.status !== 'open') throw new HiveError('CHANNEL_UNKNOWN', { channel })
      await this.#reserveIn(record, spend, build, async (owedAfter) =>
        this.#funding.ensure(record, owedAfter, spend.price, signal),
      )
    }
    await this.#funding.wanting(spend.price, async () => this.#holdingLock(channel, reserving))
  }

  /** Frees a reservation whose share will not be paid; `told` when its provider knows that. */
  async release(provider: Address, agreement: Bytes32, told: boolean): Promise<void> {
    await this.#lock.run(provider, async () => {
      const record = this.#holding(provider, agreement)
      if (record === undefined) return
      const freed = without(record, agreement)
      const givenUp = told ? freed.givenUp : [...freed.givenUp, agreement]
      const price = record.inFlight[agreement] ?? 0n
      const changes = this.spent.giveBack(record.purposes?.[agreement], price)
      await this.#book.save({ ...freed, givenUp }, changes)
      if (!told) this.#onGivenUp(provider)
    })
  }

  /** Shares that a provider still counts as owed though they were given up. */
  givenUp(provider: Address): readonly Bytes32[] {
    return this.#book.live(provider).flatMap((each) => each.givenUp)
  }

  /** Notes that a provider has heard of a share that was given up. */
  async told(provider: Address, agreement: Bytes32): Promise<void> {
    await this.#lock.run(provider, async () => {
      for (const record of this.#book.live(provider)) {
        const givenUp = record.givenUp.filter((each) => each !== agreement)
        if (givenUp.length < record.givenUp.length) await this.#book.save({ ...record, givenUp })
      }
    })
  }

  /** After a start: frees what was reserved for shares that are not, or no longer, under way. */
  async releaseAllBut(live: ReadonlySet<Bytes32>): Promise<void> {
    for (const { provider, inFlight } of this.all()) {
      for (const id of Object.keys(inFlight) as Bytes32[])
        if (!live.has(id)) await this.release(provider, id, false)
    }
  }

  /**
   * Promises a verified share's amount: the voucher, the paid share and the caller's own changes
   * become durable together, so that a share is paid once or not at all. Nothing owed, no voucher.
   */
  async settle(
    provider: Address,
    share: PaidShare,
    changes: readonly StoreChange[],
  ): Promise<void> {
    await this.#lock.run(provider, async () => {
      const record = this.#holding(provider, share.agreement)
      if (record === undefined)
        throw new HiveError('CHANNEL_UNKNOWN', { provider, agreement: share.agreement })
      const freed = without(record, share.agreement)
      const unpaid = (record.inFlight[share.agreement] ?? 0n) - share.amount
      const back = this.spent.giveBack(record.purposes?.[share.agreement], unpaid)
      if (share.amount === 0n) return this.#book.save(freed, [...changes, ...back])
      const cumulative = record.cumulative + share.amount
      const tree = withShare(this.#book.tree(record.id), share)
      const voucher = toHex(this.vouchers.over(record.id, cumulative, tree))
      const paid = { ...freed, cumulative, jobs: tree.jobs, voucher }
      await this.#book.pay(paid, share, [...changes, ...back])
    })
  }

  /** Notes how many shares paid on a channel its provider knows. */
  async acknowledge(channel: Bytes32, jobs: number): Promise<void> {
    await this.#holdingLock(channel, async (record) => {
      if (jobs <= record.jobs && jobs !== record.acknowledged)
        await this.#book.save({ ...record, acknowledged: jobs })
    })
  }

  /**
   * Takes over what the contract says of a channel, also of one that closed lately, and mends what a reorganised chain
   * forgot of it. True when that was news.
   */
  async reconcile(channel: Bytes32, signal: AbortSignal): Promise<boolean> {
    // Asked while nothing else can change the channel: an older answer could undo a top-up.
    const isNews = await this.#holdingLock(channel, async (record) => {
      const { status, closedAt } = record
      if (status === 'closed' && isBuried(closedAt, this.#parts.clock.now())) return false
      return this.#funding.mend(record, signal)
    })
    return isNews ?? false
  }

  /**
   * Gives notice by `send`, and keeps new shares away from the channel from then on. Throws
   * CHANNEL_BUSY, unless forced, while a share on it is under way or a voucher is unacknowledged:
   * its provider would have no longer than the notice to turn them into money.
   */
  async giveNotice<T>(channel: Bytes32, force: boolean, send: () => Promise<T>): Promise<T> {
    const sent = await this.#holdingLock(channel, async (record) => {
      const shares = Object.keys(record.inFlight).length
      const unacknowledged = record.jobs - record.acknowledged
      if (!force && shares + unacknowledged > 0)
        throw new HiveError('CHANNEL_BUSY', { channel, shares, unacknowledged })
      // Written first: a share must not be reserved where a notice may run unseen.
      await this.#book.save({ ...record, status: 'closing' })
      return { result: await send() }
    })
    return sent === undefined ? send() : sent.result
  }

  /** Reserves on a channel that `fund` makes carry it. */
  async #reserveIn(
    record: ChannelRecord,
    spend: Spend,
    build: (slot: ChannelSlot) => Bytes32,
    fund: (owedAfter: Amount, agreement: Bytes32) => Promise<ChannelRecord>,
  ): Promise<void> {
    const { price } = spend
    using leave = await this.spent.leave(spend)
    const owedAfter = committed(record) + price
    const slot = { channel: record.id, seq: record.lastSeq + 1, owedAfter }
    const agreement = build(slot)
    const funded = await fund(owedAfter, agreement)
    const reservation = { agreement, seq: slot.seq, price }
    await leave.keep(async (changes) =>
      this.#book.save(withReservation(funded, reservation, leave.purpose), changes),
    )
  }

  /** The channel in which a share's price is reserved. */
  #holding(provider: Address, agreement: Bytes32): ChannelRecord | undefined {
    return this.#book.live(provider).find(({ inFlight }) => inFlight[agreement] !== undefined)
  }

  /** Runs `work` on a known channel while nothing else can change it. */
  async #holdingLock<T>(
    channel: Bytes32,
    work: (record: ChannelRecord) => Promise<T>,
  ): Promise<T | undefined> {
    const provider = this.#book.get(channel)?.provider
    if (provider === undefined) return undefined
    return this.#lock.run(provider, async () => {
      const record = this.#book.get(channel)
      return record === undefined ? undefined : work(record)
    })
  }
}
