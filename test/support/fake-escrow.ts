import type { CloseMutual } from '../../node/domain/close-mutual.ts'
import { HiveError } from '../../node/domain/errors.ts'
import { ZERO_BYTES32, type Address, type Bytes32 } from '../../node/domain/ids.ts'
import type { Amount } from '../../node/domain/money.ts'
import type { Voucher } from '../../node/domain/voucher.ts'
import type {
  AccountRecord,
  Balances,
  Escrow,
  EscrowChannel,
  EscrowEvent,
  OpenChannel,
  OpenedChannels,
  SignedVoucher,
  TopUp,
  TransactionReceipt,
} from '../../node/ports/escrow.ts'
import type { CallOptions } from '../../node/ports/requests.ts'
import { channelId } from '../../node/protocol/channel-id.ts'
import { recoverSignatory } from '../../node/protocol/signature.ts'
import { digestOf, domainSeparator, structHash } from '../../node/protocol/typed-data.ts'
import { FakeCases } from './fake-cases.ts'
import type { EventBody, FakeChain } from './fake-chain.ts'
import { reverted } from './fake-reverts.ts'

const NO_JOBS_PAID = { jobs: 0, jobsRoot: ZERO_BYTES32 } as const
/** Seconds between the notice and the close, as in the contract. */
const NOTICE_S = 24 * 3600
const FEE_BPS = 250

/** The contract as one account uses it. */
export class FakeEscrow implements Escrow {
  readonly chainId: number
  readonly address: Address
  readonly cases: FakeCases
  readonly #chain: FakeChain
  readonly #account: Address

  constructor(chain: FakeChain, account: Address) {
    this.#chain = chain
    this.#account = account
    this.chainId = chain.chainId
    this.address = chain.address
    this.cases = new FakeCases(chain, account)
  }

  async time(): Promise<number> {
    return this.#chain.now()
  }

  async record(account: Address): Promise<AccountRecord> {
    return this.#chain.record(account)
  }

  async newestBlock(): Promise<number> {
    return this.#chain.newestBlock
  }

  async feeBps(): Promise<number> {
    return FEE_BPS
  }

  async balances(account: Address): Promise<Balances> {
    return {
      free: this.#chain.free.get(account) ?? 0n,
      token: this.#chain.token.get(account) ?? 0n,
      gas: 10n ** 18n,
    }
  }

  async channel(id: Bytes32): Promise<EscrowChannel | undefined> {
    return this.#chain.channels.get(id)
  }

  async channelsOf({
    account,
    fromBlock,
  }: {
    readonly account: Address
    readonly fromBlock: number
  }): Promise<OpenedChannels> {
    const { events, newestBlock: newest } = this.#chain
    const channels = events.flatMap((event) =>
      event.type === 'opened' &&
      event.block >= fromBlock &&
      (event.requester === account || event.provider === account)
        ? [event.channel]
        : [],
    )
    return { channels, upTo: Math.max(newest, fromBlock - 1), newest }
  }

  async events(query: {
    readonly fromBlock: number
    readonly channel?: Bytes32
  }): Promise<readonly EscrowEvent[]> {
    return this.#chain.events.filter(
      ({ block, channel }) =>
        block >= query.fromBlock && (query.channel === undefined || channel === query.channel),
    )
  }

  async deposit(amount: Amount, { signal }: CallOptions): Promise<TransactionReceipt> {
    signal.throwIfAborted()
    const outside = this.#chain.token.get(this.#account) ?? 0n
    if (outside < amount) throw reverted('ERC20InsufficientBalance')
    this.#chain.token.set(this.#account, outside - amount)
    this.#chain.move(this.#account, amount)
    return this.#chain.mine()
  }

  async withdraw(to: Address, amount: Amount): Promise<TransactionReceipt> {
    this.#chain.move(this.#account, -amount)
    this.#chain.token.set(to, (this.#chain.token.get(to) ?? 0n) + amount)
    return this.#chain.mine()
  }

  async open(
    terms: OpenChannel,
  ): Promise<{ readonly id: Bytes32; readonly receipt: TransactionReceipt }> {
    const { bondOffer, deposit } = terms
    const { chainId, address } = this
    const digest = digestOf(
      domainSeparator({ chainId, escrow: address }),
      structHash('BondOffer', bondOffer),
    )
    const signer = recoverSignatory(digest, terms.bondSignature)
    if (signer.address !== bondOffer.provider) throw reverted('ComputeEscrowBadBondSignature')
    const bound = BigInt.asUintN(160, bondOffer.nonce) === BigInt(terms.requesterSigner)
    if (!bound) throw reverted('ComputeEscrowNonceNotBound')
    const id = channelId({ chainId, escrow: address }, bondOffer)
    if (this.#chain.channels.has(id)) throw reverted('ComputeEscrowChannelExists')
    // before anything moves: what reverts leaves nothing behind
    const bondAtHand = this.#chain.free.get(bondOffer.provider) ?? 0n
    if (bondAtHand < bondOffer.bond) throw reverted('ComputeEscrowInsufficientFree')
    this.#chain.move(this.#account, -deposit)
    this.#chain.move(bondOffer.provider, -bondOffer.bond)
    const { provider, providerSigner, bond } = bondOffer
    const parties = {
      requester: this.#account,
      provider,
      requesterSigner: terms.requesterSigner,
      providerSigner,
    }
    this.#chain.channels.set(id, {
      id,
      ...parties,
      deposit,
      settled: 0n,
      bond,
      feeBps: FEE_BPS,
      closeAt: 0,
      status: 'open',
      bondHold: bondOffer.hold,
      bondFreeAt: 0,
      frozen: 0n,
      requesterCases: 0,
      providerCases: 0,
      sponsored: 0n,
    })
    const event = {
      type: 'opened',
      channel: id,
      ...parties,
      nonce: bondOffer.nonce,
      deposit,
      bond,
      feeBps: FEE_BPS,
      agreement: terms.agreement,
    } as const
    return { id, receipt: this.#chain.mine(event) }
  }

  async topUp({ channel: id, from, amount }: TopUp): Promise<TransactionReceipt | undefined> {
    const channel = this.#known(id)
    if (channel.deposit !== from) return undefined
    this.#chain.move(this.#account, -amount)
    this.#chain.channels.set(id, { ...channel, deposit: channel.deposit + amount })
    return this.#chain.mine({ type: 'topped-up', channel: id, payer: this.#account, amount })
  }

  async claim(voucher: Voucher, signature: Uint8Array): Promise<TransactionReceipt> {
    const channel = this.#known(voucher.channel)
    this.#chain.checkSigned('Voucher', voucher, signature, channel.requesterSigner)
    const event = this.#pay(channel, voucher)
    if (event === undefined) throw reverted('ComputeEscrowNothingToClaim')
    return this.#chain.mine(event)
  }

  async claimMany(
    items: readonly SignedVoucher[],
    { signal }: CallOptions,
  ): Promise<TransactionReceipt> {
    signal.throwIfAborted()
    for (const { voucher, signature } of items) {
      const channel = this.#chain.channels.get(voucher.channel)
      if (channel === undefined) throw new HiveError('CHANNEL_UNKNOWN')
      this.#chain.checkSigned('Voucher', voucher, signature, channel.requesterSigner)
    }
    const events = items.map(({ voucher }) => {
      const channel = this.#chain.channels.get(voucher.channel)
      return channel === undefined || channel.status === 'closed'
        ? undefined
        : this.#pay(channel, voucher)
    })
    return this.#chain.mine(...events.filter((event) => event !== undefined))
  }

  /** Moves what the voucher adds; `undefined` when that is nothing. */
  #pay(channel: EscrowChannel, voucher: Voucher): EventBody | undefined {
    const { cumulative, jobs, jobsRoot } = voucher
    if (cumulative <= channel.settled || channel.settled === channel.deposit) return undefined
    const { paid, fee } = this.#chain.pay(channel, cumulative)
    return { type: 'claimed', channel: channel.id, cumulative, paid, fee, jobs, jobsRoot }
  }

  async startClose(id: Bytes32): Promise<TransactionReceipt> {
    const channel = this.#known(id)
    if (channel.status !== 'open') throw reverted('ComputeEscrowWrongStatus')
    const closeAt = this.#chain.now() + NOTICE_S
    this.#chain.channels.set(id, { ...channel, status: 'closing', closeAt })
    return this.#chain.mine({ type: 'closing', channel: id, by: this.#account, closeAt })
  }

  async close(id: Bytes32): Promise<TransactionReceipt> {
    const channel = this.#known(id)
    if (channel.status !== 'closing' || this.#chain.now() <= channel.closeAt)
      throw reverted('ComputeEscrowTooEarly')
    return this.#chain.mine(this.#close(id, false))
  }

  async claimAndClose(voucher: Voucher, signature: Uint8Array): Promise<TransactionReceipt> {
    const channel = this.#known(voucher.channel)
    if (![channel.provider, channel.providerSigner].includes(this.#account))
      throw reverted('ComputeEscrowNotAllowed')
    this.#chain.checkSigned('Voucher', voucher, signature, channel.requesterSigner)
    const paid = this.#pay(channel, voucher)
    const closed = this.#close(channel.id, false)
    return this.#chain.mine(...(paid === undefined ? [] : [paid]), closed)
  }

  /** Takes the signatures on trust: no service of the node ends a channel so. */
  async closeMutual(agreed: CloseMutual): Promise<TransactionReceipt> {
    const channel = this.#known(agreed.channel)
    if (this.#chain.now() > agreed.deadline) throw reverted('ComputeEscrowExpired')
    const { finalSettled: total } = agreed
    if (total < channel.settled || total > channel.deposit)
      throw reverted('ComputeEscrowFinalOutOfRange')
    const paid = this.#pay(channel, { ...agreed, cumulative: total, ...NO_JOBS_PAID })
    const closed = this.#close(channel.id, true)
    return this.#chain.mine(...(paid === undefined ? [] : [paid]), closed)
  }

  async releaseBond(id: Bytes32): Promise<TransactionReceipt> {
    const channel = this.#chain.channels.get(id)
    if (channel?.status !== 'closed') throw reverted('ComputeEscrowWrongStatus')
    if (this.#chain.now() <= channel.bondFreeAt) throw reverted('ComputeEscrowTooEarly')
    if (channel.bond === 0n) throw reverted('ComputeEscrowZeroAmount')
    this.#chain.channels.set(id, { ...channel, bond: 0n })
    this.#chain.move(channel.provider, channel.bond)
    return this.#chain.mine({ type: 'bond-released', channel: id, amount: channel.bond })
  }

  async sponsor(id: Bytes32, amount: Amount): Promise<TransactionReceipt> {
    const channel = this.#known(id)
    this.#chain.move(this.#account, -amount)
    const { deposit, sponsored } = channel
    const more = { deposit: deposit + amount, sponsored: sponsored + amount }
    this.#chain.channels.set(id, { ...channel, ...more })
    const key = `${id}/${this.#account}`
    this.#chain.sponsorships.set(key, (this.#chain.sponsorships.get(key) ?? 0n) + amount)
    return this.#chain.mine({ type: 'sponsored', channel: id, payer: this.#account, amount })
  }

  async sponsorship(id: Bytes32, payer: Address): Promise<Amount> {
    return this.#chain.sponsorships.get(`${id}/${payer}`) ?? 0n
  }

  async refund(id: Bytes32, payer: Address): Promise<TransactionReceipt> {
    const channel = this.#chain.channels.get(id)
    if (channel?.status !== 'closed') throw reverted('ComputeEscrowWrongStatus')
    if (channel.requesterCases + channel.providerCases > 0) throw reverted('ComputeEscrowCasesOpen')
    const sponsored = await this.sponsorship(id, payer)
    const requesterShare = this.#chain.requesterShares.get(id) ?? 0n
    const own = payer === channel.requester ? requesterShare : 0n
    const share = sponsored + own
    if (share === 0n) throw reverted('ComputeEscrowNothingToRefund')
    const left = channel.deposit - channel.settled
    const amount = (left * share) / (channel.sponsored + requesterShare)
    this.#chain.sponsorships.delete(`${id}/${payer}`)
    this.#chain.requesterShares.set(id, requesterShare - own)
    this.#chain.channels.set(id, {
      ...channel,
      deposit: channel.deposit - amount,
      sponsored: channel.sponsored - sponsored,
    })
    this.#chain.move(payer, amount)
    return this.#chain.mine({ type: 'refunded', channel: id, payer, amount })
  }

  #close(id: Bytes32, bothAgreed: boolean): EventBody {
    const channel = this.#known(id)
    const { settled, bond, bondHold, deposit, sponsored } = channel
    const isHeld = !bothAgreed && bondHold > 0
    const bondReturned = isHeld ? 0n : bond
    if (sponsored > 0n) this.#chain.requesterShares.set(id, deposit - sponsored)
    this.#chain.channels.set(id, {
      ...channel,
      bond: bond - bondReturned,
      bondHold: 0,
      bondFreeAt: isHeld ? this.#chain.now() + bondHold : 0,
      closeAt: 0,
      status: 'closed',
    })
    this.#chain.move(channel.provider, bondReturned)
    const depositReturned = this.#chain.leaveOnlyKept(id)
    return { type: 'closed', channel: id, settled, depositReturned, bondReturned }
  }

  #known(id: Bytes32): EscrowChannel {
    const channel = this.#chain.channels.get(id)
    if (channel === undefined || channel.status === 'closed')
      throw reverted('ComputeEscrowWrongStatus')
    return channel
  }
}
