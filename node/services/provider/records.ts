import type { ErrorCode } from '../../domain/error-codes.ts'
import type { Address, Bytes32, Cid, Hex, PeerId } from '../../domain/ids.ts'
import type { JobState } from '../../domain/job-state.ts'
import type { Amount } from '../../domain/money.ts'
import type { OfferAsk } from '../../domain/offer-ask.ts'
import type { PaidShare } from '../../domain/voucher.ts'

/** A share that this node has agreed to work on. The id is the agreement's. */
export interface WorkRecord {
  readonly id: Bytes32
  readonly state: JobState
  readonly requester: Address
  readonly peer: PeerId
  readonly channel: Bytes32
  readonly seq: number
  readonly spec: Bytes32
  readonly tasks: readonly number[]
  /** Of the offer: the spec must ask for the same. */
  readonly ask: OfferAsk
  readonly price: Amount
  /** Unix seconds. */
  readonly finishBy: number
  /** Unix ms. */
  readonly startedAt: number
  readonly finishedAt?: number
  /** With both signatures. */
  readonly agreement: Hex
  readonly receipt?: Hex
  readonly salt?: Bytes32
  readonly manifest?: Cid
  /** What the receipt asks for. */
  readonly amount?: Amount
  readonly error?: ErrorCode
  /** Cancelled while intervals of it were due. */
  readonly isUnpaid?: true
  /** How often the node was gone while it worked on this and took it up again; none: never. */
  readonly restarts?: number
}

/** The name of a task of a share, on this node. */
export function taskId(share: Bytes32, index: number): string {
  return `${share}-${index}`
}

/** A channel on which this node earns. */
export interface EarningRecord {
  readonly id: Bytes32
  readonly requester: Address
  readonly deposit: Amount
  readonly lastSeq: number
  /** Of the highest voucher. */
  readonly cumulative: Amount
  /** Paid out on chain, as far as known. */
  readonly claimed: Amount
  readonly voucher?: Hex
  readonly paid: readonly PaidShare[]
  /** The contract has closed it: nothing more can be claimed. */
  readonly closed?: boolean
  /** When it was first seen closed, Unix ms. */
  readonly closedAt?: number
  /** Since when the chain does not know it, Unix ms: it did when the record was made. */
  readonly missingSince?: number
  /** When it was found on chain though no award had told of it, Unix ms; there until one does. */
  readonly adoptedAt?: number
}
