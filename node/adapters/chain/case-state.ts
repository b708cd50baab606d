import type { Log } from 'ethers'
import {
  CASE_KINDS,
  CASE_STATES,
  type Case,
  type CaseKind,
  type CaseState,
  type ShownPayment,
} from '../../domain/case.ts'
import { HiveError } from '../../domain/errors.ts'
import type { Bytes32 } from '../../domain/ids.ts'
import { ESCROW_INTERFACE } from './artifact.ts'

/** The contract's number for a kind of case. Throws `CHAIN_ANSWER_INVALID`. */
export function caseKindOf(value: unknown): CaseKind {
  return known(CASE_KINDS[Number(value)], 'kind of case')
}

/** The contract's number for a case's state, which counts from "none". Throws `CHAIN_ANSWER_INVALID`. */
export function caseStateOf(value: unknown): CaseState {
  return known(CASE_STATES[Number(value) - 1], 'state of case')
}

/** What `caseOf` answered, decoded; `undefined` where there was no case. */
export function caseOf(id: Bytes32, answer: unknown): Case | undefined {
  const raw = answer as Readonly<Record<string, unknown>>
  if (Number(raw['state']) === 0) return undefined
  const { openedByKey, contestedByKey, doublings, amount, stake, verifierFee, deadline } = raw
  return {
    id,
    kind: caseKindOf(raw['kind']),
    state: caseStateOf(raw['state']),
    openedByKey: openedByKey === true,
    contestedByKey: contestedByKey === true,
    doublings: Number(doublings),
    amount: amount as bigint,
    stake: stake as bigint,
    verifierFee: verifierFee as bigint,
    deadline: Number(deadline),
    evidence: String(raw['evidence']) as Bytes32,
  }
}

/** A `PaidShown` event of a case over a share of `channel`. Throws `CHAIN_ANSWER_INVALID`. */
export function shownPaymentOf(log: Log, channel: Bytes32): ShownPayment {
  const args = known(ESCROW_INTERFACE.parseLog(log)?.args, 'PaidShown')
  const jobsRoot = String(args['jobsRoot']) as Bytes32
  const cumulative = args['cumulative'] as bigint
  return {
    voucher: { channel, cumulative, jobs: Number(args['jobs']), jobsRoot },
    job: {
      seq: Number(args['seq']),
      agreement: String(args['caseId']) as Bytes32,
      amount: args['amount'] as bigint,
      index: Number(args['index']),
    },
  }
}

function known<T>(value: T | null | undefined, what: string): T {
  if (value === undefined || value === null)
    throw new HiveError('CHAIN_ANSWER_INVALID', { action: `read ${what}` })
  return value
}
