import type { BundleBody } from '../../api/schemas/bundle.ts'
import { codeOf } from '../../domain/errors.ts'
import { short, type Address, type Bytes32 } from '../../domain/ids.ts'
import { fromHex } from '../../protocol/bytes.ts'
import { cidDigest } from '../../protocol/cid.ts'
import type { EnvelopeCodec, Signed } from '../../protocol/envelope.ts'
import { rootFromProof } from '../../protocol/jobs-root.ts'
import { taskListHash } from '../../protocol/typed-data.ts'
import { counted } from '../output/words.ts'
import { tokens, type ChannelEvidence } from './channel-evidence.ts'
import type { Findings } from './findings.ts'

type Share = BundleBody['shares'][number]

/** What a bundle says beside the share itself. */
export interface ShareContext {
  readonly codec: EnvelopeCodec
  readonly bundle: BundleBody
  readonly channel: ChannelEvidence
  readonly findings: Findings
}

/** Checks one share: who agreed to what, what was delivered, and whether it was paid. */
export function shareEvidence(share: Share, context: ShareContext): void {
  const { findings } = context
  const name = `Share ${short(share.id)}`
  try {
    const agreement = agreementOf(share, context, name)
    if (agreement === undefined) return
    awardOf(share, agreement, context, name)
    if (share.receipt === undefined) findings.open(`${name}: there is no receipt, so no result.`)
    else receiptOf(share, agreement, context, name)
    paymentOf(share, context, name)
  } catch (error) {
    findings.refuted(`${name} cannot be read: a message in it is damaged (${codeOf(error)}).`)
  }
}

function agreementOf(
  share: Share,
  { codec, bundle, channel, findings }: ShareContext,
  name: string,
): Signed<'Agreement'> | undefined {
  const agreement = codec.open('Agreement', fromHex(share.agreement))
  const { message, id } = agreement
  const same =
    id === share.id &&
    message.channel === channel.id &&
    message.seq === share.seq &&
    message.spec === cidDigest(bundle.spec)
  if (!same) {
    findings.refuted(
      `${name} is not the agreement that it carries: id, channel, number or spec differ.`,
    )
    return undefined
  }
  const [requester, provider] = agreement.signatories
  if (!signedBy(requester, channel.requesterKeys)) {
    findings.refuted(`${name}: the agreement is not signed by the channel’s requester.`)
    return undefined
  }
  const terms = `${counted(message.tasks, 'task')} of the job for ${tokens(message.price)}`
  if (provider === undefined) {
    findings.open(`${name}: the requester offered ${terms}; the provider has not signed.`)
  } else if (signedBy(provider, channel.providerKeys)) {
    findings.proven(`${name}: requester and provider both signed an agreement over ${terms}.`)
  } else findings.refuted(`${name}: the agreement is not signed by the channel’s provider.`)
  return agreement
}

function awardOf(
  share: Share,
  agreement: Signed<'Agreement'>,
  { codec, channel, findings }: ShareContext,
  name: string,
): void {
  const award = codec.open('Award', fromHex(share.award))
  const fits =
    signedBy(award.signatories[0], channel.requesterKeys) &&
    award.message.agreement === agreement.id &&
    taskListHash(award.message.tasks) === agreement.message.input
  if (!fits) findings.refuted(`${name}: the task list is not the one that was agreed.`)
}

function receiptOf(
  share: Share,
  agreement: Signed<'Agreement'>,
  { codec, channel, findings }: ShareContext,
  name: string,
): void {
  const { message, signatories } = codec.open('Receipt', fromHex(share.receipt ?? '0x'))
  const { tasks, price } = agreement.message
  const fits =
    signedBy(signatories[0], channel.providerKeys) &&
    message.agreement === agreement.id &&
    message.amount <= price &&
    (share.amount === undefined || BigInt(share.amount) === message.amount)
  if (fits)
    findings.proven(
      `${name}: the provider signed a receipt for ${message.completed} of ${counted(tasks, 'task')}, asking ${tokens(message.amount)}, with results that hash to ${message.dataRoot}.`,
    )
  else
    findings.refuted(`${name}: the receipt is not the provider’s, or does not fit the agreement.`)
}

function paymentOf(share: Share, context: ShareContext, name: string): void {
  const { channel, findings } = context
  if (share.amount === undefined)
    return findings.open(`${name}: the bundle claims no payment, and none was looked for.`)
  const leaf = { seq: share.seq, agreement: share.id, amount: BigInt(share.amount) }
  const proofs = new Map(
    share.proofs
      .filter(
        ({ siblings, index, jobs, jobsRoot }) =>
          rootFromProof(leaf, index, jobs, siblings) === jobsRoot,
      )
      .map(({ jobsRoot, jobs }) => [jobsRoot, jobs] as const),
  )
  const covered = (root: Bytes32, jobs: number) => proofs.get(root) === jobs
  const claim = channel.claims.find(({ jobsRoot, jobs }) => covered(jobsRoot, jobs))
  if (claim !== undefined)
    return findings.proven(
      `${name}: paid on chain. The claim in block ${claim.block} contains exactly this share at ${tokens(leaf.amount)}.`,
    )
  const voucher = voucherOf(share, context)
  if (voucher === undefined || !covered(voucher.jobsRoot, voucher.jobs))
    return findings.open(
      `${name}: no claim on chain and no voucher contains it. Ask for a fresh bundle if it was paid since.`,
    )
  if (voucher.cumulative > channel.deposit)
    return findings.refuted(`${name}: its voucher promises more than the deposit.`)
  findings.proven(
    `${name}: promised by a voucher over ${tokens(voucher.cumulative)}, which the deposit covers; not claimed yet.`,
  )
}

/** The channel's newest voucher, if its requester signed it. */
function voucherOf(share: Share, { bundle, codec, channel, findings }: ShareContext) {
  const bytes = bundle.channels.find(({ id }) => id === share.channel)?.voucher
  if (bytes === undefined) return undefined
  const { message, signatories } = codec.open('Voucher', fromHex(bytes))
  if (message.channel === channel.id && signedBy(signatories[0], channel.requesterKeys))
    return message
  findings.refuted(`The voucher of channel ${short(channel.id)} is not its requester’s.`)
  return undefined
}

function signedBy(
  signatory: { readonly address: Address } | undefined,
  keys: ReadonlySet<Address>,
): boolean {
  return signatory !== undefined && keys.has(signatory.address)
}
