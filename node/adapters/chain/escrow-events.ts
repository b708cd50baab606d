import type { Log, LogDescription } from 'ethers'
import { HiveError } from '../../domain/errors.ts'
import type { Address, Bytes32 } from '../../domain/ids.ts'
import type { EscrowEvent } from '../../ports/escrow.ts'
import { requesterSignerOf } from '../../protocol/channel-id.ts'
import { ESCROW_INTERFACE } from './artifact.ts'
import { caseKindOf, caseStateOf } from './case-state.ts'

/** Who a channel belongs to, as its opening event says; the contract keeps only their hash. */
export interface ChannelParties {
  readonly requester: Address
  readonly provider: Address
  readonly requesterSigner: Address
  readonly providerSigner: Address
  readonly nonce: bigint
}

/** The parties of an `Opened` event. */
export function partiesOf(log: Log): ChannelParties {
  const { args } = parse(log)
  return {
    requester: address(args['requester']),
    provider: address(args['provider']),
    requesterSigner: requesterSignerOf(args['nonce'] as bigint),
    providerSigner: address(args['providerSigner']),
    nonce: args['nonce'] as bigint,
  }
}

/** An event of the contract in the port's words; `undefined` for those that no one asks for. */
export function eventOf(log: Log): EscrowEvent | undefined {
  const { name, args } = parse(log)
  const channel = String(args['channel']) as Bytes32
  const where = { block: log.blockNumber, transaction: log.transactionHash as Bytes32, channel }
  const amount = (key: string) => args[key] as bigint
  switch (name) {
    case 'Opened': {
      const agreement = String(args['agreement']) as Bytes32
      return {
        ...where,
        ...partiesOf(log),
        type: 'opened',
        deposit: amount('deposit'),
        bond: amount('bond'),
        feeBps: Number(args['feeBps']),
        agreement,
      }
    }
    case 'ToppedUp':
    case 'BondAdded': {
      const type = name === 'ToppedUp' ? 'topped-up' : 'bond-added'
      return { ...where, type, payer: address(args['payer']), amount: amount('amount') }
    }
    case 'Closing':
      return {
        ...where,
        type: 'closing',
        by: address(args['by']),
        closeAt: Number(args['closeAt']),
      }
    case 'Claimed': {
      const paid = { cumulative: amount('cumulative'), paid: amount('paid'), fee: amount('fee') }
      const jobs = { jobs: Number(args['jobs']), jobsRoot: String(args['jobsRoot']) as Bytes32 }
      return { ...where, ...paid, ...jobs, type: 'claimed' }
    }
    case 'Closed':
      return {
        ...where,
        type: 'closed',
        settled: amount('settled'),
        depositReturned: amount('depositReturned'),
        bondReturned: amount('bondReturned'),
      }
    case 'Sponsored':
      return {
        ...where,
        type: 'sponsored',
        payer: address(args['sponsor']),
        amount: amount('amount'),
      }
    case 'Refunded':
      return { ...where, type: 'refunded', payer: address(args['payer']), amount: amount('amount') }
    case 'BondReleased':
      return { ...where, type: 'bond-released', amount: amount('amount') }
    case 'CaseOpened':
      return {
        ...where,
        type: 'case-opened',
        case: String(args['caseId']) as Bytes32,
        kind: caseKindOf(args['kind']),
        opener: address(args['opener']),
        bond: amount('bond'),
        amount: amount('amount'),
        stake: amount('stake'),
        deadline: Number(args['deadline']),
      }
    case 'CaseEnded':
      return {
        ...where,
        type: 'case-ended',
        case: String(args['caseId']) as Bytes32,
        outcome: caseStateOf(args['outcome']),
        paid: amount('paid'),
        fee: amount('fee'),
        compensation: amount('compensation'),
        slashed: amount('slashed'),
        verifierFee: amount('verifierFee'),
      }
    default:
      return undefined
  }
}

function parse(log: Log): LogDescription {
  const parsed = ESCROW_INTERFACE.parseLog(log)
  if (parsed === null)
    throw new HiveError('CHAIN_ANSWER_INVALID', {
      action: 'read events',
      transaction: log.transactionHash,
    })
  return parsed
}

function address(value: unknown): Address {
  return String(value).toLowerCase() as Address
}
