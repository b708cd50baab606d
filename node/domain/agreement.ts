import type { Address, Bytes32 } from './ids.ts'
import type { Amount } from './money.ts'
import { MAX_SHARE_TASKS } from './offer.ts'

/** What both sides sign for a provider's share of a job. Its struct hash is the agreement id. */
export interface Agreement {
  readonly channel: Bytes32
  /** Counts the agreements of the channel from 1. */
  readonly seq: number
  readonly offer: Bytes32
  readonly spec: Bytes32
  /** Commits to the award's task list: EIP-712 hash of its `uint32[]`. */
  readonly input: Bytes32
  readonly tasks: number
  /** Price of the whole share. */
  readonly price: Amount
  /** Cumulative amount of the channel once this share is paid in full. */
  readonly owedAfter: Amount
  /** Part of the provider's bond that answers for this share. */
  readonly stake: Amount
  /** What each side posts when this share is brought before the contract as a case. */
  readonly caseBond: Amount
  /** Contract that rules on a case; the zero address stands for the optimistic default. */
  readonly verifier: Address
  readonly verifierParams: Bytes32
  readonly nonceCommitR: Bytes32
  readonly nonceCommitP: Bytes32
  /** Unix seconds. */
  readonly startBy: number
  /** Unix seconds. */
  readonly finishBy: number
  /** Unix seconds. */
  readonly disputeUntil: number
  /** Which split applies when the verifier stays silent; 0 returns the price to the requester. */
  readonly onUndecided: number
}

/** The requester's word to start, with the tasks of the share. */
export interface Award {
  /** Agreement id. */
  readonly agreement: Bytes32
  /** Task indexes, ascending. */
  readonly tasks: readonly number[]
  /** Unix ms. */
  readonly issuedAt: number
}

/** What a provider needs to know of a channel before it signs against it. */
export interface ChannelView {
  readonly requester: Address
  readonly provider: Address
  readonly requesterSigner: Address
  readonly providerSigner: Address
  readonly deposit: Amount
  readonly settled: Amount
  readonly bond: Amount
  readonly open: boolean
}

/** What a provider remembers of its own bid and of what the channel already owes it. */
export interface AgreementContext {
  readonly requester: Address
  readonly provider: Address
  readonly offerSpec: Bytes32
  readonly offerTasks: number
  readonly bidPrice: Amount
  readonly bidValidUntil: number
  readonly channel: ChannelView
  /** Highest voucher plus the price of every unpaid share of the channel. */
  readonly committed: Amount
  /** Highest seq signed before on the channel. */
  readonly lastSeq: number
  /** Most that the provider is ready to post in a case. */
  readonly maxCaseBond: Amount
  /** EIP-712 hash of the award's task list. */
  readonly inputHash: Bytes32
  /** Until the bid's room comes, and from there on at its capacity when every task uses all of its own time, ms. */
  readonly mayTakeMs: number
  /** Unix ms. */
  readonly now: number
}

/** The broken rule, or `undefined`: everything a provider checks before it countersigns. */
export function agreementFault(
  agreement: Agreement,
  award: Award,
  context: AgreementContext,
): string | undefined {
  const { channel, now } = context
  // [REJECT] agreements R1: the channel is open and belongs to exactly this pair and their keys
  if (!channel.open) return 'R1'
  if (channel.requester !== context.requester || channel.provider !== context.provider) return 'R1'
  if (channel.requesterSigner !== context.requester || channel.providerSigner !== context.provider)
    return 'R1'
  // [REJECT] agreements R2: the spec is the offer's, and the input commits to the award's task list
  if (agreement.spec !== context.offerSpec || agreement.input !== context.inputHash) return 'R2'
  // [REJECT] agreements R3: the task list is ascending, without doubles, as long as agreed, no longer than offered, and at most MAX_SHARE_TASKS
  if (award.tasks.length !== agreement.tasks || agreement.tasks < 1) return 'R3'
  if (agreement.tasks > context.offerTasks || agreement.tasks > MAX_SHARE_TASKS) return 'R3'
  if (award.tasks.some((task, at) => at > 0 && task <= (award.tasks[at - 1] ?? -1))) return 'R3'
  // [REJECT] agreements R4: the price is the bid's, for every task
  if (agreement.price !== context.bidPrice * BigInt(agreement.tasks)) return 'R4'
  // [REJECT] agreements R5: the bid still stands
  if (now > context.bidValidUntil) return 'R5'
  // [REJECT] agreements R6: the sequence number is new
  if (agreement.seq <= context.lastSeq) return 'R6'
  // [REJECT] agreements R7: what the channel will owe covers all that is committed, and this price
  if (agreement.owedAfter < context.committed + agreement.price) return 'R7'
  // [REJECT] agreements R8: the deposit covers it
  if (agreement.owedAfter > channel.deposit) return 'R8'
  // [REJECT] agreements R9: the stake is covered by the bond
  if (agreement.stake > channel.bond) return 'R9'
  // [REJECT] agreements R10: the times are in order and the start is not behind us
  const inOrder =
    agreement.startBy <= agreement.finishBy && agreement.finishBy <= agreement.disputeUntil
  if (!inOrder || agreement.startBy * 1000 < now) return 'R10'
  // [REJECT] agreements R11: the deadline leaves the share its wait and every task its time: work past it would be for nothing
  if (agreement.finishBy * 1000 < now + context.mayTakeMs) return 'R11'
  // [REJECT] agreements R12: a case costs the provider no more than it is ready to post
  if (agreement.caseBond > context.maxCaseBond) return 'R12'
  return undefined
}
