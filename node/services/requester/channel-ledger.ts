import type { BondOffer } from '../../domain/bid.ts'
import { HiveError } from '../../domain/errors.ts'
import type { Address, Bytes32, Hex, PeerId } from '../../domain/ids.ts'
import type { Amount } from '../../domain/money.ts'
import type { PaidShare } from '../../domain/voucher.ts'
import type { Escrow, EscrowChannel } from '../../ports/escrow.ts'
import type { Store, StoreChange } from '../../ports/store.ts'
import { toHex } from '../../protocol/bytes.ts'
import { channelId } from '../../protocol/channel-id.ts'
import { jobsRoot } from '../../protocol/jobs-root.ts'
import { KeyedLock } from '../keyed-lock.ts'
import type { Signing } from '../signing.ts'
import { Table } from '../table.ts'

/** A channel as its requester remembers it. */
export interface ChannelRecord {
  readonly id: Bytes32
  readonly provider: Address
  readonly peer: PeerId
  /** `opening` until the transaction is known to be mined. */
  readonly status: 'opening' | 'open' | 'closed'
  readonly deposit: Amount
  /** Promised by vouchers. */
  readonly cumulative: Amount
  readonly jobs: number
  /** Paid shares that the provider has acknowledged. */
  readonly acknowledged: number
  readonly lastSeq: number
  readonly voucher?: Hex
  /** Prices of shares that are agreed but not yet paid, by agreement id. */
  readonly inFlight: Readonly<Record<Bytes32, Amount>>
}

/** Where a new agreement goes. */
export interface ChannelSlot {
  readonly channel: Bytes32
  readonly seq: number
  readonly owedAfter: Amount
}

export interface ChannelLedgerParts {
  readonly store: Store
  readonly escrow: Escrow
  readonly signing: Signing
}

export interface ChannelLedgerOptions {
  /** Deposit of a new channel, unless the share needs more or the account holds less. */
  readonly channelDeposit: Amount
}

/** The requester's channels: reserves money before an award and pays each share exactly once. */
export class ChannelLedger {
  readonly #parts: ChannelLedgerParts
  readonly #options: ChannelLedgerOptions
  readonly #table: Table<ChannelRecord>
  readonly #byProvider = new Map<Address, ChannelRecord>()
  readonly #paid = new Map<Bytes32, PaidShare[]>()
  readonly #lock = new KeyedLock()

  constructor(parts: ChannelLedgerParts, options: ChannelLedgerOptions) {
    this.#parts = parts
    this.#options = options
    this.#table = new Table(parts.store, 'channel/')
  }

  /** Reads the channels back after a start, and asks the chain about those that were being opened. */
  async load(signal: AbortSignal): Promise<void> {
    for await (const record of this.#table.all()) {
      const current = record.status === 'opening' ? await this.#confirm(record, signal) : record
      if (current.status !== 'closed') this.#byProvider.set(current.provider, current)
      const paid: PaidShare[] = []
      for await (const share of this.#paidTable(record.id).all()) paid.push(share)
      this.#paid.set(record.id, paid)
    }
  }

  /** Open channels. */
  all(): readonly ChannelRecord[] {
    return [...this.#byProvider.values()]
  }

  has(provider: Address): boolean {
    return this.#byProvider.has(provider)
  }

  /** What all open channels could still pay beyond what is promised or agreed. */
  uncommitted(): Amount {
    return this.all().reduce((sum, each) => sum + each.deposit - committed(each), 0n)
  }

  /**
   * Reserves `price` in the channel with a provider, opening or topping it up on chain when it
   * cannot carry it. `build` makes the agreement for the slot and returns its id, which a new
   * channel anchors. Throws what the escrow throws, and INSUFFICIENT_DEPOSIT.
   */
  async reserve(
    peer: PeerId,
    bond: { readonly offer: BondOffer; readonly signature: Uint8Array },
    price: Amount,
    build: (slot: ChannelSlot) => Bytes32,
    signal: AbortSignal,
  ): Promise<void> {
    const { provider } = bond.offer
    await this.#lock.run(provider, async () => {
      const known = this.#byProvider.get(provider)
      const record = known ?? this.#draft(peer, bond.offer)
      const owedAfter = committed(record) + price
      const slot = { channel: record.id, seq: record.lastSeq + 1, owedAfter }
      const agreement = build(slot)
      const deposit =
        known === undefined
          ? await this.#open(record, bond, owedAfter, agreement, signal)
          : await this.#ensureDeposit(record, owedAfter, signal)
      const inFlight = { ...record.inFlight, [agreement]: price }
      await this.#save({ ...record, status: 'open', deposit, lastSeq: slot.seq, inFlight })
    })
  }

  /** Frees a reservation whose share will not be paid. */
  async release(provider: Address, agreement: Bytes32): Promise<void> {
    await this.#lock.run(provider, async () => {
      const record = this.#byProvider.get(provider)
      if (record?.inFlight[agreement] === undefined) return
      await this.#save(without(record, agreement))
    })
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
      const record = this.#byProvider.get(provider)
      if (record?.inFlight[share.agreement] === undefined) {
        throw new HiveError('CHANNEL_UNKNOWN', { provider, agreement: share.agreement })
      }
      if (share.amount === 0n) return this.#save(without(record, share.agreement), changes)
      const paid = [...(this.#paid.get(record.id) ?? []), share]
      const cumulative = record.cumulative + share.amount
      const message = {
        channel: record.id,
        cumulative,
        jobs: paid.length,
        jobsRoot: jobsRoot(paid),
      }
      const voucher = toHex(this.#parts.signing.seal('Voucher', message).bytes)
      const next = { ...without(record, share.agreement), cumulative, jobs: paid.length, voucher }
      const entry = this.#paidTable(record.id).change(String(paid.length).padStart(9, '0'), share)
      await this.#parts.store.write([this.#table.change(next.id, next), entry, ...changes], {
        sync: true,
      })
      this.#paid.set(record.id, paid)
      this.#byProvider.set(provider, next)
    })
  }

  /** The shares paid on a channel beyond the first `from`. */
  paidSince(channel: Bytes32, from: number): readonly PaidShare[] {
    return (this.#paid.get(channel) ?? []).slice(from)
  }

  /** Notes how many paid shares the provider knows. */
  async acknowledge(provider: Address, jobs: number): Promise<void> {
    await this.#lock.run(provider, async () => {
      const record = this.#byProvider.get(provider)
      if (record === undefined || jobs > record.jobs || jobs === record.acknowledged) return
      await this.#save({ ...record, acknowledged: jobs })
    })
  }

  /** Takes over what the contract says of a channel. True when that was news. */
  async reconcile(seen: ChannelRecord, onChain: EscrowChannel | undefined): Promise<boolean> {
    return this.#lock.run(seen.provider, async () => {
      const record = this.#byProvider.get(seen.provider)
      if (record?.id !== seen.id || record.status !== 'open') return false
      const closed = onChain === undefined || onChain.status !== 'open'
      const deposit = onChain?.deposit ?? 0n
      if (!closed && deposit === record.deposit) return false
      await this.#save({ ...record, deposit, status: closed ? 'closed' : 'open' })
      if (closed) this.#byProvider.delete(record.provider)
      return true
    })
  }

  #draft(peer: PeerId, bond: BondOffer): ChannelRecord {
    const { escrow, signing } = this.#parts
    const id = channelId({ chainId: escrow.chainId, escrow: escrow.address }, bond, signing.address)
    const empty = {
      deposit: 0n,
      cumulative: 0n,
      jobs: 0,
      acknowledged: 0,
      lastSeq: 0,
      inFlight: {},
    }
    return { id, provider: bond.provider, peer, status: 'opening', ...empty }
  }

  async #open(
    record: ChannelRecord,
    bond: { readonly offer: BondOffer; readonly signature: Uint8Array },
    needed: Amount,
    agreement: Bytes32,
    signal: AbortSignal,
  ): Promise<Amount> {
    const { escrow, signing } = this.#parts
    const deposit = await this.#affordable(needed, signal)
    // Written first: after a crash the chain is asked whether the channel came to be.
    await this.#table.put(record.id, { ...record, deposit })
    const terms = {
      bondOffer: bond.offer,
      bondSignature: bond.signature,
      requesterSigner: signing.address,
      deposit,
      agreement,
    }
    const opened = await escrow.open(terms, { signal })
    if (opened.id !== record.id)
      throw new HiveError('CHAIN_ANSWER_INVALID', { expected: record.id, found: opened.id })
    return deposit
  }

  async #ensureDeposit(
    record: ChannelRecord,
    needed: Amount,
    signal: AbortSignal,
  ): Promise<Amount> {
    if (needed <= record.deposit) return record.deposit
    const more = await this.#affordable(needed - record.deposit, signal)
    await this.#parts.escrow.topUp(record.id, more, { signal })
    return record.deposit + more
  }

  async #affordable(needed: Amount, signal: AbortSignal): Promise<Amount> {
    const { escrow, signing } = this.#parts
    const { free } = await escrow.balances(signing.address, { signal })
    if (free < needed) throw new HiveError('INSUFFICIENT_DEPOSIT', { free, needed })
    const wanted = needed > this.#options.channelDeposit ? needed : this.#options.channelDeposit
    return free < wanted ? free : wanted
  }

  async #confirm(record: ChannelRecord, signal: AbortSignal): Promise<ChannelRecord> {
    const found = await this.#parts.escrow.channel(record.id, { signal })
    const status = found === undefined ? 'closed' : 'open'
    const next = { ...record, status, deposit: found?.deposit ?? 0n } as const
    await this.#table.put(record.id, next)
    return next
  }

  async #save(record: ChannelRecord, changes: readonly StoreChange[] = []): Promise<void> {
    await this.#parts.store.write([this.#table.change(record.id, record), ...changes], {
      sync: true,
    })
    this.#byProvider.set(record.provider, record)
  }

  #paidTable(channel: Bytes32): Table<PaidShare> {
    return new Table(this.#parts.store, `paid/${channel}/`)
  }
}

/** Promised by vouchers plus agreed and not yet paid. */
function committed(record: ChannelRecord): Amount {
  return Object.values(record.inFlight).reduce((sum, price) => sum + price, record.cumulative)
}

function without(record: ChannelRecord, agreement: Bytes32): ChannelRecord {
  const { [agreement]: _, ...inFlight } = record.inFlight
  return { ...record, inFlight }
}
