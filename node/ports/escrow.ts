import type { Address, Bytes32 } from '../domain/ids.ts'
import type { Amount } from '../domain/money.ts'
import type { BondOffer } from '../domain/bid.ts'
import type { Voucher } from '../domain/voucher.ts'
import type { CloseMutual } from '../domain/close-mutual.ts'
import type { CaseEvent, EscrowCases, SignedVoucher, TransactionReceipt } from './escrow-cases.ts'
import type { CallOptions } from './requests.ts'

export type { SignedVoucher, TransactionReceipt } from './escrow-cases.ts'

/** A channel as the contract holds it. */
export interface EscrowChannel {
  readonly id: Bytes32
  readonly requester: Address
  readonly provider: Address
  readonly requesterSigner: Address
  readonly providerSigner: Address
  readonly deposit: Amount
  readonly settled: Amount
  readonly bond: Amount
  readonly feeBps: number
  /** Unix seconds from when anyone may close it; 0 while no notice runs. */
  readonly closeAt: number
  readonly status: 'open' | 'closing' | 'closed'
  /** How long the bond outlives a close that not both agreed to, seconds; 0 once closed. */
  readonly bondHold: number
  /** Last moment of that hold, unix seconds; 0 while the channel lives. */
  readonly bondFreeAt: number
  /** Of the deposit, what open cases may pay out. */
  readonly frozen: Amount
  /** Cases that each side has open. */
  readonly requesterCases: number
  readonly providerCases: number
  /** Of the deposit, what sponsors paid and have not had back. */
  readonly sponsored: Amount
}

/** What opens a channel: the provider's signed bond offer and the requester's side of it. */
export interface OpenChannel {
  readonly bondOffer: BondOffer
  readonly bondSignature: Uint8Array
  readonly requesterSigner: Address
  readonly deposit: Amount
  /** Agreement that a one-off channel is opened for; the zero hash otherwise. */
  readonly agreement: Bytes32
}

/** What is to be added to a channel's deposit, as the account knows it. */
export interface TopUp {
  readonly channel: Bytes32
  readonly from: Amount
  readonly amount: Amount
}

/** What the openings in a range of blocks tell of an account. */
export interface OpenedChannels {
  readonly channels: readonly Bytes32[]
  /** Last block of the range; where nothing was to be read yet, the one before its first. */
  readonly upTo: number
  /** Number of the newest block: beyond `upTo` there is more to ask for. */
  readonly newest: number
}

/** Balances of an account, each in its own unit. */
export interface Balances {
  /** In the escrow, free to use. */
  readonly free: Amount
  /** Settlement token outside the escrow. */
  readonly token: Amount
  /** The chain's own coin, for gas, wei. */
  readonly gas: bigint
}

/** What the contract remembers of an account for ever. */
export interface AccountRecord {
  /** Platform fees ever taken from payments to it. */
  readonly feesPaid: Amount
  /** Cases it lost. */
  readonly faults: number
  /** Unix seconds of the first money that came in; 0 for never. */
  readonly firstSeen: number
}

/** What happened in the contract, from its events. Of `paid`, `fee` goes to the treasury. */
export type EscrowEvent = { readonly block: number; readonly transaction: Bytes32 } & (
  | {
      readonly type: 'opened'
      readonly channel: Bytes32
      readonly requester: Address
      readonly provider: Address
      readonly requesterSigner: Address
      readonly providerSigner: Address
      readonly nonce: bigint
      readonly deposit: Amount
      readonly bond: Amount
      readonly feeBps: number
      readonly agreement: Bytes32
    }
  | {
      readonly type: 'topped-up'
      readonly channel: Bytes32
      readonly payer: Address
      readonly amount: Amount
    }
  | {
      readonly type: 'bond-added'
      readonly channel: Bytes32
      readonly payer: Address
      readonly amount: Amount
    }
  | {
      readonly type: 'claimed'
      readonly channel: Bytes32
      readonly cumulative: Amount
      readonly paid: Amount
      readonly fee: Amount
      readonly jobs: number
      readonly jobsRoot: Bytes32
    }
  | {
      readonly type: 'closing'
      readonly channel: Bytes32
      readonly by: Address
      /** Unix seconds. */
      readonly closeAt: number
    }
  | {
      readonly type: 'closed'
      readonly channel: Bytes32
      readonly settled: Amount
      readonly depositReturned: Amount
      readonly bondReturned: Amount
    }
  | {
      readonly type: 'sponsored'
      readonly channel: Bytes32
      readonly payer: Address
      readonly amount: Amount
    }
  | {
      readonly type: 'refunded'
      readonly channel: Bytes32
      readonly payer: Address
      readonly amount: Amount
    }
  | { readonly type: 'bond-released'; readonly channel: Bytes32; readonly amount: Amount }
  | CaseEvent
)

/**
 * The ComputeEscrow contract of one chain. Transactions are sent one at a time, waited for, and
 * throw CHAIN_REVERTED with the contract's error name, INSUFFICIENT_GAS or CHAIN_UNREACHABLE; reads
 * throw CHAIN_UNREACHABLE or CHAIN_ANSWER_INVALID.
 */
export interface Escrow {
  readonly chainId: number
  readonly address: Address
  readonly cases: EscrowCases
  /** Time of the newest block that the endpoint knows, unix seconds: what deadlines go by. */
  time(options: CallOptions): Promise<number>
  /** Number of the newest block that the endpoint knows. */
  newestBlock(options: CallOptions): Promise<number>
  /** Basis points that channels opened now will pay. */
  feeBps(options: CallOptions): Promise<number>
  balances(account: Address, options: CallOptions): Promise<Balances>
  record(account: Address, options: CallOptions): Promise<AccountRecord>
  /** `undefined` for an id that was never opened. */
  channel(id: Bytes32, options: CallOptions): Promise<EscrowChannel | undefined>
  /**
   * Channels of an account, by either side, as their openings in a block or later tell; oldest first. One answer covers
   * so many blocks at most, so that it has an end.
   */
  channelsOf(
    query: { readonly account: Address; readonly fromBlock: number },
    options: CallOptions,
  ): Promise<OpenedChannels>
  /** Events from a block on, oldest first, of one channel or of all. */
  events(
    query: { readonly fromBlock: number; readonly channel?: Bytes32 },
    options: CallOptions,
  ): Promise<readonly EscrowEvent[]>
  /** Moves tokens from the node's account into the escrow, approving as needed. */
  deposit(amount: Amount, options: CallOptions): Promise<TransactionReceipt>
  withdraw(to: Address, amount: Amount, options: CallOptions): Promise<TransactionReceipt>
  /** Opens a channel and returns its id as the contract computed it. */
  open(
    terms: OpenChannel,
    options: CallOptions,
  ): Promise<{ readonly id: Bytes32; readonly receipt: TransactionReceipt }>
  /**
   * Adds to a deposit from the node's account. Sends nothing and resolves with `undefined` where the deposit is another
   * than `from` by then: what an earlier life of the node sent could have been mined after all.
   */
  topUp(top: TopUp, options: CallOptions): Promise<TransactionReceipt | undefined>
  claim(voucher: Voucher, signature: Uint8Array, options: CallOptions): Promise<TransactionReceipt>
  /**
   * Claims on several channels in one transaction; all are of one provider with one session key. A
   * channel that is closed or has nothing to claim is passed over, a wrong signature refuses the
   * whole. Throws CHANNEL_UNKNOWN for one that was never opened.
   */
  claimMany(items: readonly SignedVoucher[], options: CallOptions): Promise<TransactionReceipt>
  startClose(channel: Bytes32, options: CallOptions): Promise<TransactionReceipt>
  close(channel: Bytes32, options: CallOptions): Promise<TransactionReceipt>
  /** Claims a last voucher and ends the channel at once; only its provider may. */
  claimAndClose(
    voucher: Voucher,
    signature: Uint8Array,
    options: CallOptions,
  ): Promise<TransactionReceipt>
  /** Ends a channel as both agreed. Anyone may. */
  closeMutual(
    agreed: CloseMutual,
    requesterSignature: Uint8Array,
    providerSignature: Uint8Array,
    options: CallOptions,
  ): Promise<TransactionReceipt>
  /** Gives the provider the bond of a closed channel whose hold is over. Anyone may. */
  releaseBond(channel: Bytes32, options: CallOptions): Promise<TransactionReceipt>
  /** Adds to a deposit from the node's account, for a refund in proportion. */
  sponsor(channel: Bytes32, amount: Amount, options: CallOptions): Promise<TransactionReceipt>
  /** What an account paid as a sponsor and had no refund for yet. */
  sponsorship(channel: Bytes32, payer: Address, options: CallOptions): Promise<Amount>
  /** Credits a payer with its part of what is left of a sponsored deposit. Anyone may. */
  refund(channel: Bytes32, payer: Address, options: CallOptions): Promise<TransactionReceipt>
}

/** What can be asked of the contract by anyone, without an account. */
export type EscrowReads = Pick<Escrow, 'chainId' | 'address' | 'newestBlock' | 'channel' | 'events'>
