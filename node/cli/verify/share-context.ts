import type { BundleBody } from '../../api/schemas/bundle.ts'
import type { Address } from '../../domain/ids.ts'
import type { Voucher } from '../../domain/voucher.ts'
import type { EnvelopeCodec } from '../../protocol/envelope.ts'
import type { ChannelEvidence } from './channel-evidence.ts'
import type { Findings } from './findings.ts'

/** A share as a bundle has it. */
export type Share = BundleBody['shares'][number]

/** What there is beside the share itself. */
export interface ShareContext {
  readonly codec: EnvelopeCodec
  readonly bundle: BundleBody
  readonly channel: ChannelEvidence
  /** The newest voucher of the channel that the bundle has, signed by its requester. */
  readonly voucher: Voucher | undefined
  readonly findings: Findings
}

/** Whether a message is signed by exactly this key. */
export function isBy(signatory: { readonly address: Address } | undefined, key: Address): boolean {
  return signatory?.address === key
}
