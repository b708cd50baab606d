import type { BondOffer } from '../../domain/bid.ts'
import { HiveError } from '../../domain/errors.ts'
import type { Address, Bytes32, PeerId } from '../../domain/ids.ts'
import type { Amount } from '../../domain/money.ts'
import type { PaidShare } from '../../domain/voucher.ts'
import type { Escrow } from '../../ports/escrow.ts'
import type { Store, StoreChange } from '../../ports/store.ts'
import { fromHex, toHex } from '../../protocol/bytes.ts'
import { channelId } from '../../protocol/channel-id.ts'
import { NO_JOBS, rootOf, withShare, type JobsTree } from '../../protocol/jobs-root.ts'
import { MAX_VOUCHER_SHARES } from '../../protocol/limits.ts'
import type { VoucherRequest } from '../../protocol/requests.ts'
import { KeyedLock } from '../keyed-lock.ts'
import type { Signing } from '../signing.ts'
import { Table } from '../table.ts'
import { committed, without, type ChannelRecord, type ChannelSlot } from './channel-record.ts'

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
  readonly #trees = new Map<Bytes32, JobsTree>()
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
      this.#trees.set(record.id, paid.reduce(withShare, NO_JOBS))
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

  /** Frees a reservation whose share will not be paid; `told` when its provider knows that. */
  async release(provider: Address, agreement: Bytes32, told: boolean): Promise<void> {
    await this.#change(provider, (record) => {
      if (record.inFlight[agreement] === undefined) return undefined
      const freed = without(record, agreement)
      return told ? freed : { ...freed, givenUp: [...freed.givenUp, agreement] }
    })
  }

  /** Shares that a provider still counts as owed though they were given up. */
  givenUp(provider: Address): readonly Bytes32[] {
    return this.#byProvider.get(provider)?.givenUp ?? []
  }

  /** Notes that a provider has heard of a share that was given up. */
  async told(provider: Address, agreement: Bytes32): Promise<void> {
    await this.#change(provider, (record) => ({
      ...record,
      givenUp: record.givenUp.filter((each) => each !== agreement),
    }))
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
      const record = this.#byProvider.get(provider)
      if (record?.inFlight[share.agreement] === undefined) {
        throw new HiveError('CHANNEL_UNKNOWN', { provider, agreement: share.agreement })
      }
      if (share.amount === 0n) return this.#save(without(record, share.agreement), changes)
      const paid = [...(this.#paid.get(record.id) ?? []), share]
      const cumulative = record.cumulative + share.amount
      const tree = withShare(this.#trees.get(record.id) ?? NO_JOBS, share)
      const voucher = toHex(this.#voucher(record.id, cumulative, tree))
      const next = { ...without(record, share.agreement), cumulative, jobs: paid.length, voucher }
      const entry = this.#paidTable(record.id).change(String(paid.length).padStart(9, '0'), share)
      await this.#parts.store.write([this.#table.change(next.id, next), entry, ...changes], {
        sync: true,
      })
      this.#paid.set(record.id, paid)
      this.#trees.set(record.id, tree)
      this.#byProvider.set(provider, next)
    })
  }

  /** The newest voucher that one request can carry, with the shares it pays beyond the acknowledged ones. */
  unacknowledged(record: ChannelRecord): VoucherRequest {
    const paid = this.#paid.get(record.id) ?? []
    const upTo = Math.min(paid.length, record.acknowledged + MAX_VOUCHER_SHARES)
    const shares = paid.slice(record.acknowledged, upTo)
    if (upTo === record.jobs && record.voucher !== undefined)
      return { voucher: fromHex(record.voucher), shares }
    const carried = paid.slice(0, upTo)
    const cumulative = carried.reduce((sum, { amount }) => sum + amount, 0n)
    const voucher = this.#voucher(record.id, cumulative, carried.reduce(withShare, NO_JOBS))
    return { voucher, shares }
  }

  /** The shares paid on a channel beyond the first `from`. */
  paidSince(channel: Bytes32, from: number): readonly PaidShare[] {
    return (this.#paid.get(channel) ?? []).slice(from)
  }

  /** Notes how many paid shares the provider knows. */
  async acknowledge(provider: Address, jobs: number): Promise<void> {
    await this.#change(provider, (record) =>
      jobs > record.jobs || jobs === record.acknowledged
        ? undefined
        : { ...record, acknowledged: jobs },
    )
  }

  /** Takes over what the contract says of a channel. True when that was news. */
  async reconcile(seen: ChannelRecord, signal: AbortSignal): Promise<boolean> {
    return this.#lock.run(seen.provider, async () => {
      // Asked while nothing else can change the channel: an older answer could undo a top-up.
      const onChain = await this.#parts.escrow.channel(seen.id, { signal })
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

  /** The same shares always give the same bytes. */
  #voucher(channel: Bytes32, cumulative: Amount, tree: JobsTree): Uint8Array {
    const message = { channel, cumulative, jobs: tree.jobs, jobsRoot: rootOf(tree) }
    return this.#parts.signing.seal('Voucher', message).bytes
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
      givenUp: [],
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

  /** Edits the open channel with a provider; `undefined` leaves it as it is. */
  async #change(
    provider: Address,
    edit: (record: ChannelRecord) => ChannelRecord | undefined,
  ): Promise<void> {
    await this.#lock.run(provider, async () => {
      const record = this.#byProvider.get(provider)
      const next = record && edit(record)
      if (next !== undefined) await this.#save(next)
    })
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
