import { HiveError } from '../../domain/errors.ts'
import type { Address, Bytes32, PeerId } from '../../domain/ids.ts'
import type { Amount } from '../../domain/money.ts'
import { voucherFault, type PaidShare } from '../../domain/voucher.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Escrow, EscrowChannel, SignedVoucher } from '../../ports/escrow.ts'
import type { Logger } from '../../ports/logger.ts'
import type { Store, StoreChange } from '../../ports/store.ts'
import { toHex } from '../../protocol/bytes.ts'
import { NO_JOBS, rootOf, withShare, type JobsTree } from '../../protocol/jobs-root.ts'
import { voucherAnswer, voucherRequest } from '../../protocol/requests.ts'
import { isBuried } from '../buried.ts'
import { KeyedLock } from '../keyed-lock.ts'
import type { Signing } from '../signing.ts'
import { Table } from '../table.ts'
import { addressOfPeer } from '../../protocol/identity.ts'
import { ClaimSchedule } from './claim-schedule.ts'
import { sendClaims, voucherToClaim } from './claims.ts'
import { asOnChain, newEarning } from './earning-record.ts'
import type { IntervalRecord } from './interval-book.ts'
import type { EarningRecord, WorkRecord } from './records.ts'
import type { WorkBook } from './work-book.ts'

export interface EarningsParts {
  readonly clock: Clock
  readonly logger: Logger
  readonly store: Store
  readonly escrow: Escrow
  readonly signing: Signing
  readonly works: WorkBook
}

export interface EarningsOptions {
  /** A claim is sent at once when this much is unclaimed on a channel. */
  readonly claimAbove: Amount
  /** A claim is sent when a channel had no new voucher for this long, ms. */
  readonly claimAfterIdleMs: number
}

/** The provider's side of its channels: takes vouchers, checks them, and claims on chain. */
export class Earnings {
  readonly #parts: EarningsParts
  readonly #options: EarningsOptions
  readonly #table: Table<EarningRecord>
  readonly #live = new Map<Bytes32, EarningRecord>()
  readonly #trees = new Map<Bytes32, JobsTree>()
  readonly #schedule: ClaimSchedule
  readonly #lock = new KeyedLock()
  /** Held over a claim, which takes blocks; taken before `#lock`, never after. */
  readonly #claiming = new KeyedLock()

  constructor(parts: EarningsParts, options: EarningsOptions) {
    this.#parts = parts
    this.#options = options
    this.#table = new Table(parts.store, 'earning/')
    this.#schedule = new ClaimSchedule({
      ...parts,
      claim: async (channels, signal) => this.claimMany(channels, signal),
    })
  }

  async load(): Promise<void> {
    for await (const stored of this.#table.all()) {
      const paid: PaidShare[] = []
      for await (const share of this.#paidTable(stored.id).all()) paid.push(share)
      const record = { ...stored, paid }
      this.#live.set(record.id, record)
      this.#trees.set(record.id, paid.reduce(withShare, NO_JOBS))
      this.#setDue(record)
    }
  }

  all(): readonly EarningRecord[] {
    return [...this.#live.values()]
  }

  get(channel: Bytes32): EarningRecord | undefined {
    return this.#live.get(channel)
  }

  /** Promised by a requester's vouchers, on all its channels. */
  paidBy(requester: Address): Amount {
    return this.all()
      .filter((each) => each.requester === requester)
      .reduce((sum, { cumulative }) => sum + cumulative, 0n)
  }

  /** Notes a channel that an award came on, or its newest sequence number and deposit. */
  async note(channel: EscrowChannel, seq: number): Promise<void> {
    await this.#lock.run(channel.id, async () => {
      const { adoptedAt: _, ...before } = this.#live.get(channel.id) ?? newEarning(channel)
      const lastSeq = Math.max(seq, before.lastSeq)
      await this.#save({ ...before, deposit: channel.deposit, lastSeq })
    })
  }

  /** Notes a channel that was opened on a bond offer of this node, and of which no award told yet. */
  async adopt(channel: EscrowChannel): Promise<void> {
    await this.#lock.run(channel.id, async () => {
      if (this.#live.has(channel.id)) return
      await this.#save({ ...newEarning(channel), adoptedAt: this.#parts.clock.now() })
    })
  }

  /** Takes a voucher from its requester. Answers how many paid shares are known. */
  async take(from: PeerId, request: Uint8Array): Promise<Uint8Array> {
    const { voucher: bytes, shares } = voucherRequest.decode(request)
    // [REJECT] vouchers R1: it is signed by the channel's requester, who brings it
    const { message: voucher } = this.#parts.signing.openFrom('Voucher', bytes, [
      addressOfPeer(from),
    ])
    return this.#lock.run(voucher.channel, async () => {
      const record = this.#live.get(voucher.channel)
      if (record === undefined || record.requester !== addressOfPeer(from))
        throw new HiveError('CHANNEL_UNKNOWN', { channel: voucher.channel })
      if (voucher.jobs <= record.paid.length)
        return voucherAnswer.encode({ jobs: record.paid.length })
      const known = new Set(record.paid.map(({ agreement }) => agreement))
      const fresh = shares.filter(({ agreement }) => !known.has(agreement) && known.add(agreement))
      const paid = [...record.paid, ...fresh]
      const tree = fresh.reduce(withShare, this.#trees.get(record.id) ?? NO_JOBS)
      const rule = voucherFault(voucher, record, paid, rootOf(tree), record.deposit)
      if (rule !== undefined) throw new HiveError('VOUCHER_INVALID', { rule })
      const next = { ...record, cumulative: voucher.cumulative, voucher: toHex(bytes), paid }
      const entries = fresh.map((share, at) =>
        this.#paidTable(record.id).change(numbered(record.paid.length + at + 1), share),
      )
      const { works } = this.#parts
      const metered = fresh.flatMap(({ agreement }) => works.intervals.get(agreement)?.share ?? [])
      await works.intervals.holding(metered, async () => {
        const done = await Promise.all(fresh.map(async (share) => this.#paidWork(record, share)))
        const { changes, written } = works.settlement(done)
        await this.#save(next, [...changes, ...entries], written)
      })
      this.#trees.set(record.id, tree)
      this.#setDue(next)
      for (const share of metered) await works.settleIfPaid(share)
      return voucherAnswer.encode({ jobs: paid.length })
    })
  }

  /** Claims what is due until the signal aborts. */
  async claimLoop(signal: AbortSignal): Promise<void> {
    await this.#schedule.run(signal)
  }

  /** Sends the highest voucher of a channel to the contract, unless nothing is left to claim. */
  async claim(channel: Bytes32, signal: AbortSignal): Promise<void> {
    await this.claimMany([channel], signal)
  }

  /** As {@link claim} for several channels, all in one transaction. */
  async claimMany(channels: readonly Bytes32[], signal: AbortSignal): Promise<void> {
    // In one order for all, so that no two wait for each other.
    const ids = [...new Set(channels)].sort()
    await this.#claimingOf(ids, async () => {
      const claims: SignedVoucher[] = []
      for (const id of ids) {
        const claim = await this.#claimOf(id, signal)
        if (claim !== undefined) claims.push(claim)
      }
      await sendClaims(this.#parts, claims, signal)
      for (const { voucher } of claims) await this.#noteClaimed(voucher.channel, voucher.cumulative)
    })
  }

  /**
   * Takes over what the contract says of a channel, also of one that closed lately: its deposit, and what was paid out.
   * True when that was news. Throws `CHANNEL_UNKNOWN` when the chain does not know the channel any more.
   */
  async reconcile(seen: EarningRecord, signal: AbortSignal): Promise<boolean> {
    if (seen.closed === true && isBuried(seen.closedAt, this.#parts.clock.now())) return false
    return this.#claiming.run(seen.id, async () =>
      this.#lock.run(seen.id, async () => this.#compare(seen.id, signal)),
    )
  }

  async #compare(id: Bytes32, signal: AbortSignal): Promise<boolean> {
    const onChain = await this.#parts.escrow.channel(id, { signal })
    const record = this.#live.get(id)
    if (record === undefined) return false
    const next = await this.#takeOver(record, onChain)
    // Notice was given: what is not claimed before it runs out is lost.
    if (onChain?.status === 'closing') this.#setDue(next, 0)
    // A reorganised chain forgot the opening: the requester has it opened again, or nothing is paid here.
    if (next !== record && onChain === undefined)
      throw new HiveError('CHANNEL_UNKNOWN', { channel: id })
    return next !== record
  }

  /** What is there to claim on a channel; notes what the chain says when that is nothing. */
  async #claimOf(channel: Bytes32, signal: AbortSignal): Promise<SignedVoucher | undefined> {
    const { escrow, signing } = this.#parts
    const claim = voucherToClaim(this.#live.get(channel), signing)
    if (claim === undefined) return undefined
    const onChain = await escrow.channel(channel, { signal })
    if (onChain === undefined || onChain.status === 'closed') {
      await this.#lock.run(channel, async () => {
        const current = this.#live.get(channel)
        if (current !== undefined) await this.#takeOver(current, onChain)
      })
      return undefined
    }
    const { cumulative } = claim.voucher
    if (onChain.settled < cumulative) return claim
    await this.#noteClaimed(channel, cumulative)
    return undefined
  }

  async #noteClaimed(channel: Bytes32, claimed: Amount): Promise<void> {
    await this.#lock.run(channel, async () => {
      const record = this.#live.get(channel)
      if (record !== undefined) await this.#save({ ...record, claimed })
    })
  }

  /** Keeps other claims of these channels out; vouchers for them still come in meanwhile. */
  async #claimingOf(ids: readonly Bytes32[], work: () => Promise<void>): Promise<void> {
    const [id, ...others] = ids
    if (id === undefined) return work()
    return this.#claiming.run(id, async () => this.#claimingOf(others, work))
  }

  /** The share or interval as this node did it, if the requester pays exactly what is owed for it. */
  async #paidWork(channel: EarningRecord, share: PaidShare): Promise<WorkRecord | IntervalRecord> {
    const owed = await this.#parts.works.payable(share.agreement)
    // [REJECT] vouchers R6: each new share was delivered on this channel, at its receipt's amount
    const fits =
      owed !== undefined &&
      owed.channel === channel.id &&
      owed.amount === share.amount &&
      owed.seq === share.seq
    if (!fits) throw new HiveError('VOUCHER_INVALID', { rule: 'R6', agreement: share.agreement })
    return owed
  }

  /** The record as the contract has it from now on, and the claim on it set; the same object when that is no news. */
  async #takeOver(record: EarningRecord, onChain?: EscrowChannel): Promise<EarningRecord> {
    const { clock, logger } = this.#parts
    const next = asOnChain(record, onChain, clock.now())
    if (next === record) return record
    this.#schedule.drop(record.id)
    await this.#save(next)
    if (onChain !== undefined) this.#setDue(next)
    const lost = record.cumulative - next.claimed
    if (next.closed === true && lost > 0n)
      logger.error('channel closed before all was claimed', { channel: record.id, lost })
    return next
  }

  #setDue(record: EarningRecord, afterMs: number = this.#options.claimAfterIdleMs): void {
    const unclaimed = record.cumulative - record.claimed
    if (unclaimed <= 0n || record.closed === true) return
    this.#schedule.set(record.id, unclaimed >= this.#options.claimAbove ? 0 : afterMs)
  }

  async #save(
    record: EarningRecord,
    changes: readonly StoreChange[] = [],
    written: () => void = () => {},
  ): Promise<void> {
    // Paid shares are entries of their own: the record stays small however long a channel lives.
    const all = [this.#table.change(record.id, { ...record, paid: [] }), ...changes]
    await this.#parts.store.write(all, { sync: true })
    this.#live.set(record.id, record)
    written()
  }

  #paidTable(channel: Bytes32): Table<PaidShare> {
    return new Table(this.#parts.store, `earned/${channel}/`)
  }
}

/** Keys in the order of their numbers. */
function numbered(at: number): string {
  return String(at).padStart(9, '0')
}
