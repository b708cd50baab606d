import { Type, type Static } from 'typebox'
import { AddressText, AmountText, Bytes32Text, CidText, HexText } from './basics.ts'

/** The siblings that lead from the paid share at `index` to the root over a channel's first `jobs` shares. */
const ProofBody = Type.Object({
  jobs: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
  index: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
  jobsRoot: Bytes32Text,
  siblings: Type.Array(Bytes32Text, { maxItems: 64 }),
})

const BundleShare = Type.Object({
  id: Bytes32Text,
  channel: Bytes32Text,
  seq: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
  /** Envelopes as they travelled. */
  agreement: HexText,
  award: HexText,
  receipt: Type.Optional(HexText),
  amount: Type.Optional(AmountText),
  /** One for every claim seen on chain, and one for the newest voucher. */
  proofs: Type.Array(ProofBody),
})

const BundleChannel = Type.Object({ id: Bytes32Text, voucher: Type.Optional(HexText) })

/** Everything about a job that somebody else needs to check it against the chain. */
export const BundleBody = Type.Object({
  version: Type.Literal(2),
  chainId: Type.Integer({ minimum: 1 }),
  escrow: AddressText,
  requester: AddressText,
  job: Bytes32Text,
  spec: CidText,
  tasks: Type.Integer({ minimum: 1 }),
  shares: Type.Array(BundleShare),
  channels: Type.Array(BundleChannel),
})
export type BundleBody = Static<typeof BundleBody>
