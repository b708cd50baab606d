import type { BondOffer } from '../../domain/bid.ts'
import { codeOf, HiveError } from '../../domain/errors.ts'
import type { Bytes32 } from '../../domain/ids.ts'
import type { Amount } from '../../domain/money.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Escrow, OpenChannel } from '../../ports/escrow.ts'
import { fromHex } from '../../protocol/bytes.ts'
import { KeyedLock } from '../keyed-lock.ts'
import type { Signing } from '../signing.ts'
import type { ChannelBook } from './channel-book.ts'
import { asOnChain, committed, wasOpen, type ChannelRecord } from './channel-record.ts'

export interface ChannelFundingParts {
  readonly clock: Clock
  readonly escrow: Escrow
  readonly signing: Signing
  readonly book: ChannelBook
}

export interface ChannelFundingOptions {
  /** Deposit of a new channel, unless the share needs more or the account holds less. */
  readonly channelDeposit: Amount
}

/** A provider's promise of its bond, as it came with a bid. */
export interface SignedBond {
  readonly offer: BondOffer
  readonly signature: Uint8Array
}

/** Times that a deposit is looked at anew because it is not what it was: anybody may add to one, few will. */
const TOP_UP_TRIES = 3

/** All spending is from one account: what one reads of it must hold until its transaction is mined. */
const ACCOUNT = 'account'

/**
 * Moves money from the account into channels, one transaction at a time. A transaction whose end was
 * not seen is asked of the chain; the caller holds the lock of the channel's provider.
 */
export class ChannelFunding {
  readonly #parts: ChannelFundingParts
  readonly #options: ChannelFundingOptions
  readonly #lock = new KeyedLock()
  /** Channels that had too little for what is promised on them when they were last compared with the contract. */
  readonly #short = new Set<Bytes32>()
  #wanted: Amount = 0n

  constructor(parts: ChannelFundingParts, options: ChannelFundingOptions) {
    this.#parts = parts
    this.#options = options
  }

  /** Runs `work`, and has all others leave `price` in the account for it as long as it runs. */
  async wanting<T>(price: Amount, work: () => Promise<T>): Promise<T> {
    this.#wanted += price
    try {
      return await work()
    } finally {
      this.#wanted -= price
    }
  }

  /** Runs `work`, which takes money out of the account, when no transaction of a channel does. */
  async spending<T>(work: () => Promise<T>): Promise<T> {
    return this.#lock.run(ACCOUNT, work)
  }

  /**
   * Opens a drafted channel that can carry `needed`. Returns it as the chain has it. Throws what the
   * escrow throws, and INSUFFICIENT_DEPOSIT.
   */
  async open(draft: ChannelRecord, needed: Amount, signal: AbortSignal): Promise<ChannelRecord> {
    return this.#lock.run(ACCOUNT, async () => {
      const deposit = await this.#affordable(needed, needed, signal)
      return this.#send({ ...draft, deposit }, signal)
    })
  }

  /** The channel with a deposit of `needed` or more, for a share of `price`. Throws as {@link open}. */
  async ensure(
    record: ChannelRecord,
    needed: Amount,
    price: Amount,
    signal: AbortSignal,
  ): Promise<ChannelRecord> {
    if (needed <= record.deposit) return record
    return this.#lock.run(ACCOUNT, async () => {
      let seen = record
      for (let tries = 0; tries < TOP_UP_TRIES; tries++) {
        seen = await this.#topUp(seen, needed, price, signal)
        if (seen.status !== 'open') throw new HiveError('CHANNEL_UNKNOWN', { channel: record.id })
        if (needed <= seen.deposit) return seen
      }
      throw new HiveError('CHAIN_ANSWER_INVALID', { action: 'topUp', channel: record.id })
    })
  }

  /**
   * Takes over what the contract says of a channel, and mends what a reorganised chain forgot of it: its opening, or
   * deposits for what is promised. True when there was something to mend or to take over. Throws as {@link ensure}.
   */
  async mend(record: ChannelRecord, signal: AbortSignal): Promise<boolean> {
    const seen = await this.look(record, signal)
    if (seen.status === 'opening' && wasOpen(seen)) await this.resume(seen, signal)
    const isShort = seen.status === 'open' && committed(seen) > seen.deposit
    // Only where it was so before: an endpoint that lags behind a top-up would have it made twice.
    const isStill = isShort && this.#short.has(record.id)
    if (isStill) await this.ensure(seen, committed(seen), 0n, signal)
    if (isShort && !isStill) this.#short.add(record.id)
    else this.#short.delete(record.id)
    return isStill || (seen !== record && record.toppingUp === undefined)
  }

  /** The channel after a top-up, or as it is where its deposit is not what it was: an earlier one was mined after all. */
  async #topUp(
    record: ChannelRecord,
    needed: Amount,
    price: Amount,
    signal: AbortSignal,
  ): Promise<ChannelRecord> {
    const { escrow, book } = this.#parts
    const { toppingUp: _, ...known } = record
    const amount = await this.#affordable(needed - known.deposit, price, signal)
    // Written first: a node that starts again knows that the deposit may rise by itself.
    await book.save({ ...known, toppingUp: amount })
    const top = { channel: known.id, from: known.deposit, amount }
    const sent = await escrow.topUp(top, { signal }).catch(async (error: unknown) => {
      if (!signal.aborted) await book.save(known) // nothing is under way then
      throw error
    })
    if (sent === undefined) return this.look(known, signal)
    const raised = { ...known, deposit: known.deposit + amount }
    await book.save(raised)
    return raised
  }

  /**
   * Finds out what became of a channel whose opening was not seen to its end, and sends the same
   * transaction again while it can count: the contract takes it once. What was refused is left.
   */
  async resume(record: ChannelRecord, signal: AbortSignal): Promise<void> {
    const { clock, book } = this.#parts
    const seen = await this.look(record, signal)
    const { status, opening } = seen
    if (status !== 'opening' || opening === undefined || opening.refused === true) return
    if (clock.now() >= opening.bondOffer.expiry * 1000) return
    try {
      await this.#lock.run(ACCOUNT, async () => this.#send(seen, signal))
    } catch (error) {
      if (book.get(record.id)?.opening?.refused !== true) throw error
    }
  }

  /** Takes over what the contract says of a channel; the same object when that is no news. */
  async look(record: ChannelRecord, signal: AbortSignal): Promise<ChannelRecord> {
    const { escrow, clock, book } = this.#parts
    const seen = asOnChain(record, await escrow.channel(record.id, { signal }), clock.now())
    if (seen !== record) await book.save(seen)
    return seen
  }

  async #send(record: ChannelRecord, signal: AbortSignal): Promise<ChannelRecord> {
    const { escrow, book } = this.#parts
    // Written first: whatever ends the wait, the chain is asked whether the channel came to be.
    await book.save(record)
    try {
      const opened = await escrow.open(this.#terms(record), { signal })
      if (opened.id !== record.id)
        throw new HiveError('CHAIN_ANSWER_INVALID', { expected: record.id, found: opened.id })
    } catch (error) {
      if (signal.aborted) throw error
      const seen = await this.look(record, signal).catch(() => record) // the first failure says more
      if (seen.status === 'open') return seen
      // It is still asked about until its bond has expired: an earlier copy could be on its way.
      if (codeOf(error) === 'CHAIN_REVERTED' && seen.opening !== undefined)
        await book.save({ ...seen, opening: { ...seen.opening, refused: true } })
      throw error
    }
    const seen = { ...record, status: 'open' } as const
    await book.save(seen)
    return seen
  }

  #terms({ id, opening, deposit }: ChannelRecord): OpenChannel {
    if (opening === undefined) throw new HiveError('INTERNAL', { channel: id })
    const { bondOffer, bondSignature, agreement } = opening
    const requesterSigner = this.#parts.signing.address
    return {
      bondOffer,
      bondSignature: fromHex(bondSignature),
      requesterSigner,
      deposit,
      agreement,
    }
  }

  /** A channel's usual deposit, less what others who wait for their turn need of the account. */
  async #affordable(needed: Amount, own: Amount, signal: AbortSignal): Promise<Amount> {
    const { escrow, signing } = this.#parts
    const { free } = await escrow.balances(signing.address, { signal })
    if (free < needed) throw new HiveError('INSUFFICIENT_DEPOSIT', { free, needed })
    const spare = free - (this.#wanted - own)
    const usual = this.#options.channelDeposit < spare ? this.#options.channelDeposit : spare
    return usual > needed ? usual : needed
  }
}
