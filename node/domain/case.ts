import type { Bytes32 } from './ids.ts'
import type { Amount } from './money.ts'
import type { PaidShare, Voucher } from './voucher.ts'

/** What a case is about, in the contract's order. `delivered` is a no-show that a receipt answered. */
export const CASE_KINDS = [
  'non-payment',
  'wrong-result',
  'no-show',
  'delivered',
  'equivocation',
] as const
export type CaseKind = (typeof CASE_KINDS)[number]

/** What a side may bring itself. */
export type Accusation = 'non-payment' | 'wrong-result' | 'no-show'

/** Where a case stands, in the contract's order after "none"; all but the first three are for ever. */
export const CASE_STATES = [
  'opened',
  'paid-shown',
  'contested',
  'provider-right',
  'provider-wrong',
  'undecided',
  'paid',
] as const
export type CaseState = (typeof CASE_STATES)[number]

/** One share before the contract. Its id is the agreement's. Amounts are zero once it has ended. */
export interface Case {
  readonly id: Bytes32
  readonly kind: CaseKind
  readonly state: CaseState
  /** The accusing side's session key posted its bond, not its owner account. */
  readonly openedByKey: boolean
  /** Likewise for the accused side, in a contest. */
  readonly contestedByKey: boolean
  /** Cases that the accusing side had open when it opened this one: each doubled the bond. */
  readonly doublings: number
  /** Of the channel's deposit, what the case may pay out. */
  readonly amount: Amount
  /** Of the provider's bond, what the case holds. */
  readonly stake: Amount
  readonly verifierFee: Amount
  /** Unix seconds, the last moment of whoever's turn it is. */
  readonly deadline: number
  /** The receipt in dispute, or the hash of what was shown; the zero hash otherwise. */
  readonly evidence: Bytes32
}

/** A paid share with its place, from 0, in the list that a voucher commits to. */
export interface PlacedShare extends PaidShare {
  readonly index: number
}

/** What a requester showed as proof that it paid. */
export interface ShownPayment {
  readonly voucher: Voucher
  readonly job: PlacedShare
}

/** Whether a case can still change. */
export function isOpenCase({ state }: Pick<Case, 'state'>): boolean {
  return state === 'opened' || state === 'paid-shown' || state === 'contested'
}

/** Whether the provider is the accuser, who wins when the other side is silent. */
export function isProvidersCase({ kind }: Pick<Case, 'kind'>): boolean {
  return kind === 'non-payment' || kind === 'delivered'
}
