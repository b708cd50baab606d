import { Contract, type JsonRpcProvider, Wallet } from 'ethers'
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
  SignedVoucher,
  TransactionReceipt,
} from '../../ports/escrow.ts'
import type { EscrowCases } from '../../ports/escrow-cases.ts'
import type { CallOptions } from '../../ports/requests.ts'
import { toHex } from '../../protocol/bytes.ts'
import { channelId } from '../../protocol/channel-id.ts'
import { ESCROW_INTERFACE } from './artifact.ts'
import { ChainCases } from './chain-cases.ts'
import { asChainError } from './chain-error.ts'
import { ChannelPartiesBook } from './channel-parties.ts'
import { channelOf, openTermsOf, statusOf, type RawChannel } from './channel-state.ts'
import { ContractReads } from './contract-reads.ts'
import { eventsFrom, ledgerOf } from './escrow-reads.ts'
import { connectRpc, withSignal } from './rpc-endpoint.ts'
import { Settlement } from './settlement.ts'
import { TransactionLane, type TransactionLaneOptions } from './transaction-lane.ts'
import { batchOf } from './voucher-batch.ts'

export interface ChainEscrowParts {
  readonly clock: Clock
  /** Pays for gas and owns the funds; left out where the chain is only read. */
  readonly privateKey?: Uint8Array
}

export interface ChainEscrowOptions {
  readonly rpc: string
  /** Expected chain; left out to take what the endpoint serves. */
  readonly chainId?: number
  readonly address: Address
  /** Block of the deployment, from where events are read. @default 0 */
  readonly fromBlock?: number
  readonly lane?: Partial<TransactionLaneOptions>
}

/** Most that is ever approved at once: uint256. */
const APPROVE_ALL = 2n ** 256n - 1n

/**
 * The ComputeEscrow at an address. Throws `CHAIN_UNREACHABLE`, `CHAIN_WRONG`, or
 * `CHAIN_NO_CONTRACT` when nothing that speaks like one is there.
 */
export async function openChainEscrow(
  parts: ChainEscrowParts,
  options: ChainEscrowOptions,
  signal: AbortSignal,
): Promise<Escrow & AsyncDisposable> {
  const rpc = await connectRpc(options.rpc, options.chainId, signal)
  const { chainId } = await rpc.getNetwork()
  const escrow = new Contract(options.address, ESCROW_INTERFACE, rpc)
  try {
    const token = String(
      await withSignal(escrow.getFunction('token')() as Promise<unknown>, signal),
    )
    return new ChainEscrow(parts, options, rpc, Number(chainId), token)
  } catch (error) {
    rpc.destroy()
    const code = asChainError(error, 'token()').code
    if (code === 'CHAIN_UNREACHABLE' || signal.aborted) throw asChainError(error, 'token()')
    throw new HiveError(
      'CHAIN_NO_CONTRACT',
      { address: options.address, chainId: Number(chainId) },
      { cause: error },
    )
  }
}

class ChainEscrow implements Escrow, AsyncDisposable {
  readonly chainId: number
  readonly address: Address
  readonly cases: EscrowCases
  readonly #rpc: JsonRpcProvider
  readonly #reads: ContractReads
  readonly #escrow: Contract
  readonly #settlement: Settlement
  readonly #fromBlock: number
  readonly #wallet: Wallet | undefined
  readonly #lane: TransactionLane | undefined
  readonly #parties: ChannelPartiesBook

  constructor(
    parts: ChainEscrowParts,
    options: ChainEscrowOptions,
    rpc: JsonRpcProvider,
    chainId: number,
    token: string,
  ) {
    this.chainId = chainId
    this.address = options.address
    this.#rpc = rpc
    this.#escrow = new Contract(options.address, ESCROW_INTERFACE, rpc)
    this.#fromBlock = options.fromBlock ?? 0
    this.#reads = new ContractReads(rpc, options.address)
    this.#settlement = new Settlement(this.#reads, rpc, token)
    this.#parties = new ChannelPartiesBook(this.#reads, { chainId, fromBlock: this.#fromBlock })
    this.cases = new ChainCases({
      reads: this.#reads,
      escrow: this.#escrow,
      parties: this.#parties,
      send: async (name, values, call) => this.#send(this.#escrow, name, values, call),
      fromBlock: this.#fromBlock,
    })
    if (parts.privateKey !== undefined) {
      this.#wallet = new Wallet(toHex(parts.privateKey), rpc)
      this.#lane = new TransactionLane(
        { clock: parts.clock, rpc, wallet: this.#wallet },
        options.lane,
      )
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
    return { free, ...(await this.#settlement.outside(account, options)) }
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

  async events(
    query: { readonly fromBlock: number; readonly channel?: Bytes32 },
    options: CallOptions,
  ): Promise<readonly EscrowEvent[]> {
    const fromBlock = Math.max(query.fromBlock, this.#fromBlock)
    return eventsFrom(this.#reads, { ...query, fromBlock }, options)
  }

  async deposit(amount: Amount, options: CallOptions): Promise<TransactionReceipt> {
    const { token } = this.#settlement
    if (token === undefined)
      return this.#send(this.#escrow, 'deposit', [amount, { value: amount }], options)
    const allowed = await this.#settlement.allowance(this.#owner(), this.address, options)
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

  async topUp(channel: Bytes32, amount: Amount, options: CallOptions): Promise<TransactionReceipt> {
    return this.#send(this.#escrow, 'topUp', [channel, amount], options)
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
    this.#rpc.destroy()
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
    if (this.#lane === undefined)
      throw new HiveError('INTERNAL', { action: name, reason: 'opened for reading only' })
    const request = await contract.getFunction(name).populateTransaction(...values)
    return this.#lane.send(name, request, signal)
  }

  #owner(): Address {
    return (this.#wallet?.address.toLowerCase() ?? '0x') as Address
  }
}
