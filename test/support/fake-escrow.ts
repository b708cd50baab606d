import { HiveError } from '../../node/domain/errors.ts'
import type { Address, Bytes32 } from '../../node/domain/ids.ts'
import { feeUp, type Amount } from '../../node/domain/money.ts'
import type {
  Balances,
  Escrow,
  EscrowChannel,
  EscrowEvent,
  OpenChannel,
  SignedVoucher,
  TransactionReceipt,
} from '../../node/ports/escrow.ts'
import type { CallOptions } from '../../node/ports/requests.ts'
import type { Voucher } from '../../node/domain/voucher.ts'
import { channelId } from '../../node/protocol/channel-id.ts'
import { digestOf, domainSeparator, structHash } from '../../node/protocol/typed-data.ts'
import { recoverSignatory } from '../../node/protocol/signature.ts'

/** Seconds between the notice and the close, as in the contract. */
const NOTICE_S = 24 * 3600
const FEE_BPS = 250
const TREASURY: Address = `0x${'fe'.repeat(20)}`

type EventBody = EscrowEvent extends infer E
  ? E extends EscrowEvent
    ? Omit<E, 'block' | 'transaction'>
    : never
  : never

/** One contract for all nodes of a test, in memory, with the contract's rules. */
export class FakeChain {
  readonly chainId = 31337
  readonly address: Address = `0x${'e5'.repeat(20)}`
  readonly free = new Map<Address, Amount>()
  readonly token = new Map<Address, Amount>()
  readonly channels = new Map<Bytes32, EscrowChannel>()
  readonly events: EscrowEvent[] = []
  /** Unix seconds. */
  now: () => number = () => Math.floor(Date.now() / 1000)
  #block = 0

  /** Gives an account tokens inside and outside the escrow. */
  fund(account: Address, free: Amount, token: Amount = 0n): void {
    this.free.set(account, free)
    this.token.set(account, token)
  }

  move(account: Address, delta: Amount): void {
    const next = (this.free.get(account) ?? 0n) + delta
    if (next < 0n) throw reverted('ComputeEscrowInsufficientFree')
    this.free.set(account, next)
  }

  get newestBlock(): number {
    return this.#block
  }

  /** One transaction in a block of its own. */
  mine(...events: EventBody[]): TransactionReceipt {
    const hash: Bytes32 = `0x${(++this.#block).toString(16).padStart(64, '0')}`
    for (const event of events)
      this.events.push({ ...event, block: this.#block, transaction: hash })
    return { hash, block: this.#block, gasUsed: 50_000 }
  }

  /** The contract as one account uses it. */
  as(account: Address): Escrow {
    return new FakeEscrow(this, account)
  }
}

class FakeEscrow implements Escrow {
  readonly chainId: number
  readonly address: Address
  readonly #chain: FakeChain
  readonly #account: Address

  constructor(chain: FakeChain, account: Address) {
    this.#chain = chain
    this.#account = account
    this.chainId = chain.chainId
    this.address = chain.address
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

  async topUp(id: Bytes32, amount: Amount): Promise<TransactionReceipt> {
    const channel = this.#known(id)
    this.#chain.move(this.#account, -amount)
    this.#chain.channels.set(id, { ...channel, deposit: channel.deposit + amount })
    return this.#chain.mine({ type: 'topped-up', channel: id, payer: this.#account, amount })
  }

  async claim(voucher: Voucher, signature: Uint8Array): Promise<TransactionReceipt> {
    const channel = this.#known(voucher.channel)
    this.#checkSigner(channel, voucher, signature)
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
      this.#checkSigner(channel, voucher, signature)
    }
    const events = items.map(({ voucher }) => {
      const channel = this.#chain.channels.get(voucher.channel)
      return channel === undefined || channel.status === 'closed'
        ? undefined
        : this.#pay(channel, voucher)
    })
    return this.#chain.mine(...events.filter((event) => event !== undefined))
  }

  #checkSigner(channel: EscrowChannel, voucher: Voucher, signature: Uint8Array): void {
    const digest = digestOf(
      domainSeparator({ chainId: this.chainId, escrow: this.address }),
      structHash('Voucher', voucher),
    )
    if (recoverSignatory(digest, signature).address !== channel.requesterSigner)
      throw reverted('ComputeEscrowBadSigner')
  }

  /** Moves what the voucher adds; `undefined` when that is nothing. */
  #pay(channel: EscrowChannel, voucher: Voucher): EventBody | undefined {
    const settled = voucher.cumulative < channel.deposit ? voucher.cumulative : channel.deposit
    const gross = settled - channel.settled
    if (gross <= 0n) return undefined
    const fee = feeUp(gross, BigInt(channel.feeBps))
    this.#chain.channels.set(channel.id, { ...channel, settled })
    this.#chain.move(channel.provider, gross - fee)
    this.#chain.move(TREASURY, fee)
    const { cumulative, jobs, jobsRoot } = voucher
    const sums = { cumulative, paid: gross, fee }
    return { type: 'claimed', channel: channel.id, ...sums, jobs, jobsRoot }
  }

  async startClose(id: Bytes32): Promise<TransactionReceipt> {
    const channel = this.#known(id)
    const closeAt = this.#chain.now() + NOTICE_S
    this.#chain.channels.set(id, { ...channel, status: 'closing', closeAt })
    return this.#chain.mine({ type: 'closing', channel: id, by: this.#account, closeAt })
  }

  async close(id: Bytes32): Promise<TransactionReceipt> {
    const channel = this.#known(id)
    if (channel.status !== 'closing' || this.#chain.now() <= channel.closeAt)
      throw reverted('ComputeEscrowTooEarly')
    this.#chain.move(channel.requester, channel.deposit - channel.settled)
    this.#chain.move(channel.provider, channel.bond)
    const { deposit, settled, bond } = channel
    const tombstone = { deposit: settled, bond: 0n, closeAt: 0, status: 'closed' } as const
    this.#chain.channels.set(id, { ...channel, ...tombstone })
    const returned = { depositReturned: deposit - settled, bondReturned: bond }
    return this.#chain.mine({ type: 'closed', channel: id, settled, ...returned })
  }

  #known(id: Bytes32): EscrowChannel {
    const channel = this.#chain.channels.get(id)
    if (channel === undefined || channel.status === 'closed')
      throw reverted('ComputeEscrowWrongStatus')
    return channel
  }
}

function reverted(error: string): HiveError {
  return new HiveError('CHAIN_REVERTED', { error })
}
