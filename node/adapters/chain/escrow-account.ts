import { Wallet, type Contract } from 'ethers'
import type { CloseMutual } from '../../domain/close-mutual.ts'
import { HiveError } from '../../domain/errors.ts'
import type { Address, Bytes32 } from '../../domain/ids.ts'
import type { Amount } from '../../domain/money.ts'
import type { Voucher } from '../../domain/voucher.ts'
import type { Clock } from '../../ports/clock.ts'
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
} from '../../ports/escrow.ts'
import type { EscrowCases } from '../../ports/escrow-cases.ts'
import type { CallOptions } from '../../ports/requests.ts'
import { toHex } from '../../protocol/bytes.ts'
import { channelId } from '../../protocol/channel-id.ts'
import { ChainCases } from './chain-cases.ts'
import { ChannelPartiesBook } from './channel-parties.ts'
import { channelOf, openTermsOf, statusOf, type RawChannel } from './channel-state.ts'
import type { ContractReads } from './contract-reads.ts'
import type { EscrowLink } from './escrow-link.ts'
import { eventsFrom, ledgerOf, openedFrom } from './escrow-reads.ts'
import { TransactionLane, type TransactionLaneOptions } from './transaction-lane.ts'
import { batchOf } from './voucher-batch.ts'

export interface ChainEscrowParts {
  readonly clock: Clock
  /** Pays for gas and owns the funds; left out where the chain is only read. */
  readonly privateKey?: Uint8Array
}

export interface EscrowAccountOptions {
  /** Block of the deployment, from where events are read. @default 0 */
  readonly fromBlock?: number
  readonly lane?: Partial<TransactionLaneOptions>
}

/** Most that is ever approved at once: uint256. */
const APPROVE_ALL = 2n ** 256n - 1n

/** The contract as one account uses it, or as anyone reads it. */
export class ChainEscrow implements Escrow, AsyncDisposable {
  readonly chainId: number
  readonly address: Address
  readonly cases: EscrowCases
  readonly #link: EscrowLink
  readonly #reads: ContractReads
  readonly #escrow: Contract
  readonly #fromBlock: number
  readonly #wallet: Wallet | undefined
  readonly #lane: TransactionLane | undefined
  readonly #parties: ChannelPartiesBook

  constructor(
    { clock, privateKey }: ChainEscrowParts,
    { lane, fromBlock = 0 }: EscrowAccountOptions,
    link: EscrowLink,
  ) {
    const { rpc, address, chainId } = link
    this.chainId = chainId
    this.address = address
    this.#link = link
    this.#escrow = link.escrow
    this.#fromBlock = fromBlock
    this.#reads = link.reads
    this.#parties = new ChannelPartiesBook(this.#reads, { chainId, fromBlock })
    this.cases = new ChainCases({
      reads: this.#reads,
      escrow: this.#escrow,
      parties: this.#parties,
      send: async (name, values, call) => this.#send(this.#escrow, name, values, call),
      fromBlock,
    })
    if (privateKey !== undefined) {
      this.#wallet = new Wallet(toHex(privateKey), rpc)
      this.#lane = new TransactionLane({ clock, rpc, wallet: this.#wallet }, lane)
    }
  }

  async newestBlock(options: CallOptions): Promise<number> {
    return this.#reads.newestBlock(options)
  }

  async time(options: CallOptions): Promise<number> {
    return this.#reads.newestTime(options)
  }

  async feeBps(options: CallOptions): Promise<number> {
    return Number(await this.#reads.read(this.#escrow, 'feeBps', [], options))
  }

  async balances(account: Address, options: CallOptions): Promise<Balances> {
    const { free } = await ledgerOf(this.#reads, this.#escrow, account, options)
    const settlement = await this.#link.settlement(options.signal)
    return { free, ...(await settlement.outside(account, options)) }
  }

  async record(account: Address, options: CallOptions): Promise<AccountRecord> {
    const { record } = await ledgerOf(this.#reads, this.#escrow, account, options)
    return record
  }

  async channel(id: Bytes32, options: CallOptions): Promise<EscrowChannel | undefined> {
    const raw = (await this.#reads.read(this.#escrow, 'channel', [id], options)) as RawChannel
    const status = statusOf(raw)
    if (status === undefined) return undefined
    return channelOf(id, raw, status, await this.#parties.of(id, options))
  }

  async channelsOf(
    query: { readonly account: Address; readonly fromBlock: number },
    options: CallOptions,
  ): Promise<OpenedChannels> {
    const fromBlock = Math.max(query.fromBlock, this.#fromBlock)
    return openedFrom(this.#reads, this.#parties, { ...query, fromBlock }, options)
  }

  async events(
    query: { readonly fromBlock: number; readonly channel?: Bytes32 },
    options: CallOptions,
  ): Promise<readonly EscrowEvent[]> {
    const fromBlock = Math.max(query.fromBlock, this.#fromBlock)
    return eventsFrom(this.#reads, { ...query, fromBlock }, options)
  }

  async deposit(amount: Amount, options: CallOptions): Promise<TransactionReceipt> {
    const settlement = await this.#link.settlement(options.signal)
    const { token } = settlement
    if (token === undefined)
      return this.#send(this.#escrow, 'deposit', [amount, { value: amount }], options)
    const allowed = await settlement.allowance(this.#owner(), this.address, options)
    if (allowed < amount) await this.#send(token, 'approve', [this.address, APPROVE_ALL], options)
    return this.#send(this.#escrow, 'deposit', [amount], options)
  }

  async withdraw(to: Address, amount: Amount, options: CallOptions): Promise<TransactionReceipt> {
    return this.#send(this.#escrow, 'withdraw', [to, amount], options)
  }

  async open(
    terms: OpenChannel,
    options: CallOptions,
  ): Promise<{ readonly id: Bytes32; readonly receipt: TransactionReceipt }> {
    const { bondOffer, bondSignature, requesterSigner } = terms
    const values = [openTermsOf(terms), toHex(bondSignature)]
    const receipt = await this.#send(this.#escrow, 'createChannel', values, options)
    const id = channelId({ chainId: this.chainId, escrow: this.address }, bondOffer)
    this.#parties.note(id, { ...bondOffer, requester: this.#owner(), requesterSigner })
    return { id, receipt }
  }

  async topUp(
    { channel, from, amount }: TopUp,
    options: CallOptions,
  ): Promise<TransactionReceipt | undefined> {
    const isStill = async () => {
      const raw = (await this.#reads.read(
        this.#escrow,
        'channel',
        [channel],
        options,
      )) as RawChannel
      return raw['deposit'] === from
    }
    const lane = await this.#sending('topUp', options.signal)
    const request = await this.#escrow.getFunction('topUp').populateTransaction(channel, amount)
    return lane.sendIf(isStill, 'topUp', request, options.signal)
  }

  async claim(
    voucher: Voucher,
    signature: Uint8Array,
    options: CallOptions,
  ): Promise<TransactionReceipt> {
    return this.#act('claim', voucher.channel, [voucher, toHex(signature)], options)
  }

  async claimMany(
    items: readonly SignedVoucher[],
    options: CallOptions,
  ): Promise<TransactionReceipt> {
    const whose = await Promise.all(
      items.map(async ({ voucher }) => this.#parties.of(voucher.channel, options)),
    )
    return this.#send(this.#escrow, 'claimMany', batchOf(items, whose), options)
  }

  async startClose(channel: Bytes32, options: CallOptions): Promise<TransactionReceipt> {
    return this.#act('startClose', channel, [], options)
  }

  async close(channel: Bytes32, options: CallOptions): Promise<TransactionReceipt> {
    return this.#act('close', channel, [], options)
  }

  async claimAndClose(
    voucher: Voucher,
    signature: Uint8Array,
    options: CallOptions,
  ): Promise<TransactionReceipt> {
    return this.#act('claimAndClose', voucher.channel, [voucher, toHex(signature)], options)
  }

  async closeMutual(
    agreed: CloseMutual,
    requesterSignature: Uint8Array,
    providerSignature: Uint8Array,
    options: CallOptions,
  ): Promise<TransactionReceipt> {
    const values = [agreed, toHex(requesterSignature), toHex(providerSignature)]
    return this.#act('closeMutual', agreed.channel, values, options)
  }

  async releaseBond(channel: Bytes32, options: CallOptions): Promise<TransactionReceipt> {
    return this.#act('releaseBond', channel, [], options)
  }

  async sponsor(
    channel: Bytes32,
    amount: Amount,
    options: CallOptions,
  ): Promise<TransactionReceipt> {
    return this.#send(this.#escrow, 'sponsor', [channel, amount], options)
  }

  async sponsorship(channel: Bytes32, payer: Address, options: CallOptions): Promise<Amount> {
    const values = [channel, payer]
    return (await this.#reads.read(this.#escrow, 'sponsorship', values, options)) as bigint
  }

  async refund(
    channel: Bytes32,
    payer: Address,
    options: CallOptions,
  ): Promise<TransactionReceipt> {
    return this.#act('refund', channel, [payer], options)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#lane?.[Symbol.asyncDispose]()
    this.#link[Symbol.dispose]()
  }

  /** A call that names the channel's parties first. */
  async #act(
    name: string,
    channel: Bytes32,
    values: readonly unknown[],
    options: CallOptions,
  ): Promise<TransactionReceipt> {
    const parties = await this.#parties.of(channel, options)
    return this.#send(this.#escrow, name, [parties, ...values], options)
  }

  async #send(
    contract: Contract,
    name: string,
    values: readonly unknown[],
    { signal }: CallOptions,
  ): Promise<TransactionReceipt> {
    const request = await contract.getFunction(name).populateTransaction(...values)
    return (await this.#sending(name, signal)).send(name, request, signal)
  }

  /** The lane of the account, once the endpoint may be used. */
  async #sending(action: string, signal: AbortSignal): Promise<TransactionLane> {
    if (this.#lane === undefined)
      throw new HiveError('INTERNAL', { action, reason: 'opened for reading only' })
    await this.#link.ready(signal)
    return this.#lane
  }

  #owner(): Address {
    return (this.#wallet?.address.toLowerCase() ?? '0x') as Address
  }
}
