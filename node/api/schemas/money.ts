import { Type, type Static } from 'typebox'
import {
  AddressText,
  AmountText,
  Bytes32Text,
  ResourcesBody,
  TimeMs,
  TransactionBody,
} from './basics.ts'
import { StateBody } from './jobs.ts'

/** A channel that this node pays through. */
export const ChannelBody = Type.Object({
  id: Bytes32Text,
  provider: AddressText,
  status: Type.String(),
  deposit: AmountText,
  promised: AmountText,
  jobs: Type.Integer(),
  acknowledged: Type.Integer(),
})

/** Balances of the node's account, each in its own smallest unit. */
export const WalletBody = Type.Object({
  address: AddressText,
  free: AmountText,
  token: AmountText,
  gas: Type.String({ description: 'wei of the chain’s own coin' }),
  uncommitted: AmountText,
  /** Agreed on as requester, and the limits of that; without one where there is none. */
  spending: Type.Object({
    /** Today (UTC), less what was given back. */
    today: AmountText,
    /** And not yet paid. */
    outstanding: AmountText,
    limits: Type.Object({
      perJob: Type.Optional(AmountText),
      perDay: Type.Optional(AmountText),
      outstanding: Type.Optional(AmountText),
    }),
  }),
  channels: Type.Array(ChannelBody),
})
export type WalletBody = Static<typeof WalletBody>

export const DepositBody = Type.Object({ amount: AmountText }, { additionalProperties: false })
export const WithdrawBody = Type.Object(
  { amount: AmountText, to: Type.Optional(AddressText) },
  { additionalProperties: false },
)

/** What became of a channel that was asked to close. */
export const ClosingBody = Type.Object({
  channel: Bytes32Text,
  status: Type.String(),
  /** Unix seconds from when it can be closed; 0 when no notice runs. */
  closeAt: Type.Integer(),
  transaction: Type.Optional(TransactionBody),
})
export type ClosingBody = Static<typeof ClosingBody>

/** A share that this node works on for somebody else. */
export const WorkBody = Type.Object({
  id: Bytes32Text,
  state: StateBody,
  requester: AddressText,
  channel: Bytes32Text,
  seq: Type.Integer(),
  tasks: Type.Array(Type.Integer()),
  need: ResourcesBody,
  price: AmountText,
  amount: Type.Optional(AmountText),
  startedAt: TimeMs,
  finishedAt: Type.Optional(TimeMs),
  error: Type.Optional(Type.String()),
})
export type WorkBody = Static<typeof WorkBody>

/** A channel that this node earns on. */
export const EarningBody = Type.Object({
  channel: Bytes32Text,
  requester: AddressText,
  deposit: AmountText,
  /** Of the highest voucher. */
  promised: AmountText,
  claimed: AmountText,
  jobs: Type.Integer(),
})

export const WorkListBody = Type.Object({
  works: Type.Array(WorkBody),
  earnings: Type.Array(EarningBody),
})
export type WorkListBody = Static<typeof WorkListBody>
