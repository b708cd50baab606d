import type { Agreement } from '../domain/agreement.ts'
import type {
  Accusation,
  Case,
  CaseKind,
  CaseState,
  PlacedShare,
  ShownPayment,
} from '../domain/case.ts'
import type { Address, Bytes32 } from '../domain/ids.ts'
import type { Amount } from '../domain/money.ts'
import type { Receipt } from '../domain/receipt.ts'
import type { Voucher } from '../domain/voucher.ts'
import type { CallOptions } from './requests.ts'

/** A mined transaction. */
export interface TransactionReceipt {
  readonly hash: Bytes32
  readonly block: number
  readonly gasUsed: number
}

/** A voucher with what makes it worth something. */
export interface SignedVoucher {
  readonly voucher: Voucher
  /** By the requester's session key. */
  readonly signature: Uint8Array
}

/** An agreement with both session keys' signatures. */
export interface SignedAgreement {
  readonly agreement: Agreement
  readonly requesterSignature: Uint8Array
  readonly providerSignature: Uint8Array
}

/** A receipt with the provider's session key's signature. */
export interface SignedReceipt {
  readonly receipt: Receipt
  readonly signature: Uint8Array
}

/** Shows that a receipt existed when a root over receipts was anchored. */
export interface AnchorProof {
  readonly root: Bytes32
  /** Siblings from the receipt to the root, each pair hashed in ascending order. */
  readonly proof: readonly Bytes32[]
}

/** What happened to cases, for those who follow a channel's money. */
export type CaseEvent =
  | {
      readonly type: 'case-opened'
      readonly channel: Bytes32
      readonly case: Bytes32
      readonly kind: CaseKind
      readonly opener: Address
      readonly bond: Amount
      readonly amount: Amount
      readonly stake: Amount
      /** Unix seconds. */
      readonly deadline: number
    }
  | {
      readonly type: 'case-ended'
      readonly channel: Bytes32
      readonly case: Bytes32
      readonly outcome: CaseState
      /** By how much the channel's settled total rose; `fee` of it is the platform's. */
      readonly paid: Amount
      readonly fee: Amount
      /** Of the stake, what the requester got. */
      readonly compensation: Amount
      /** Of the stake, what the treasury got. */
      readonly slashed: Amount
      readonly verifierFee: Amount
    }

/**
 * Cases of the contract: one share each, for ever one a share. Calls are transactions of the node's
 * account and throw what those of {@link Escrow} throw; the side that may act is checked by the
 * contract.
 */
export interface EscrowCases {
  /** `undefined` when the share was never brought. */
  of(id: Bytes32, options: CallOptions): Promise<Case | undefined>
  /** Ids of the cases ever opened over shares of a channel, oldest first. */
  on(channel: Bytes32, options: CallOptions): Promise<readonly Bytes32[]>
  /** The payment last shown in a case, which {@link disprovePaid} needs again. */
  shownPayment(id: Bytes32, options: CallOptions): Promise<ShownPayment | undefined>
  /** When a session key put a root on record, unix seconds; 0 for never. */
  anchoredAt(signer: Address, root: Bytes32, options: CallOptions): Promise<number>
  /** Puts a root over receipts on record under the node's own key. */
  anchor(root: Bytes32, options: CallOptions): Promise<TransactionReceipt>
  /** The receipt is needed for all but a no-show. Posts the agreement's bond. */
  open(
    kind: Accusation,
    agreement: SignedAgreement,
    receipt: SignedReceipt | undefined,
    options: CallOptions,
  ): Promise<TransactionReceipt>
  /** Slashes a provider that signed two receipts for one agreement. Anyone may. */
  equivocate(
    agreement: SignedAgreement,
    receipts: readonly [SignedReceipt, SignedReceipt],
    options: CallOptions,
  ): Promise<TransactionReceipt>
  /** The accused side gives in. */
  concede(agreement: Agreement, options: CallOptions): Promise<TransactionReceipt>
  /** The accused side denies, posts the same bond, and the verifier shall rule. */
  contest(
    agreement: Agreement,
    receipt: SignedReceipt,
    options: CallOptions,
  ): Promise<TransactionReceipt>
  /** Ends a contested case by verdict or, late, by the agreement's split. Anyone may. */
  resolve(agreement: Agreement, options: CallOptions): Promise<TransactionReceipt>
  /** Ends a case, after its deadline, against the side whose turn it was. Anyone may. */
  timeout(agreement: Agreement, options: CallOptions): Promise<TransactionReceipt>
  /** Answers a no-show; posts the case's bond. */
  showReceipt(
    agreement: Agreement,
    receipt: SignedReceipt,
    anchor: AnchorProof | undefined,
    options: CallOptions,
  ): Promise<TransactionReceipt>
  /** Shows that the share was paid by a voucher that is claimed. Anyone may. */
  provePaid(
    agreement: Agreement,
    voucher: SignedVoucher,
    job: PlacedShare,
    proof: readonly Bytes32[],
    options: CallOptions,
  ): Promise<TransactionReceipt>
  /** Ends a case for the provider by a voucher that contradicts the one shown. Anyone may. */
  disprovePaid(
    agreement: Agreement,
    shown: ShownPayment,
    other: SignedVoucher,
    otherJob: PlacedShare,
    proof: readonly Bytes32[],
    options: CallOptions,
  ): Promise<TransactionReceipt>
}
