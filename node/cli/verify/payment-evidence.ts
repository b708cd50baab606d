import { codeOf } from '../../domain/errors.ts'
import { short, type Hex } from '../../domain/ids.ts'
import type { Amount } from '../../domain/money.ts'
import type { Voucher } from '../../domain/voucher.ts'
import { fromHex } from '../../protocol/bytes.ts'
import { rootFromProof } from '../../protocol/jobs-root.ts'
import { tokens } from '../output/words.ts'
import { isBy, type Share, type ShareContext } from './share-context.ts'

/** A channel's voucher from a bundle, if its requester signed it. */
export function voucherEvidence(
  bytes: Hex | undefined,
  { codec, channel, findings }: Pick<ShareContext, 'codec' | 'channel' | 'findings'>,
): Voucher | undefined {
  if (bytes === undefined) return undefined
  try {
    const { message, signatories } = codec.open('Voucher', fromHex(bytes))
    if (message.channel === channel.id && isBy(signatories[0], channel.requesterKey)) return message
  } catch (error) {
    findings.refuted(`A voucher of channel ${short(channel.id)} is damaged (${codeOf(error)}).`)
    return undefined
  }
  findings.refuted(`The voucher of channel ${short(channel.id)} is not its requester’s.`)
  return undefined
}

/** Whether a share was paid: by a claim or the close that the chain has, or by a promise that is good. */
export function paymentEvidence(
  share: Share,
  asked: Amount,
  context: ShareContext,
  name: string,
): void {
  const { channel, findings } = context
  if (asked === 0n) {
    findings.signed(`${name}: its receipt asks for nothing, so nothing is owed.`, 'payment')
    return
  }
  if (share.amount === undefined) {
    findings.open(`${name}: that it was paid. The bundle does not say so.`, 'payment')
    return
  }
  if (paidByCase(share, asked, context, name)) return
  const covers = proofsOf(share)
  for (const { claim, settled } of channel.claims) {
    const { block, cumulative, jobs } = claim
    const place = covers(claim)
    if (place === undefined || settled < cumulative) continue
    findings.onChain(
      `${name}: paid on chain. The claim in block ${block} contains exactly this share, at ${tokens(asked)}, as number ${place + 1} of the ${jobs} that it pays.`,
      'payment',
    )
    return
  }
  promiseEvidence(asked, covers, context, name)
}

/** Whether a case about the share paid it, or ruled that it had been paid. */
function paidByCase(
  { id }: Share,
  asked: Amount,
  { channel, findings }: ShareContext,
  name: string,
): boolean {
  const ended = channel.cases.get(id)?.ended
  if (ended === undefined) return false
  const { block, outcome, paid } = ended
  if (outcome === 'paid')
    findings.onChain(
      `${name}: paid. In the case that ended in block ${block} the voucher that pays it was shown.`,
      'payment',
    )
  else if (paid >= asked)
    findings.onChain(
      `${name}: paid on chain, with ${tokens(paid)} by the case that ended in block ${block}.`,
      'payment',
    )
  else return false
  return true
}

function promiseEvidence(
  asked: Amount,
  covers: (under: Pick<Voucher, 'jobs' | 'jobsRoot'>) => number | undefined,
  { channel, voucher, findings }: ShareContext,
  name: string,
): void {
  const place = voucher === undefined ? undefined : covers(voucher)
  if (voucher === undefined || place === undefined) {
    findings.open(
      `${name}: that it was paid. No claim that was paid in full and no voucher contains it; ask for a fresh bundle if it was paid since.`,
      'payment',
    )
    return
  }
  const { cumulative } = voucher
  const promised = `number ${place + 1} of the ${voucher.jobs} shares of a voucher over ${tokens(cumulative)}`
  if (channel.settled >= cumulative)
    findings.onChain(
      `${name}: paid on chain. It is ${promised}, at ${tokens(asked)}, and the channel has paid ${tokens(channel.settled)} in all.`,
      'payment',
    )
  else if (channel.isClosed)
    findings.open(
      `${name}: that it was paid. It is ${promised}, but the channel was closed when it had paid ${tokens(channel.settled)}: nobody can claim the rest any more.`,
      'payment',
    )
  else if (cumulative > channel.deposit)
    findings.refuted(`${name}: its voucher promises more than the deposit.`, 'payment')
  else
    findings.onChain(
      `${name}: promised, at ${tokens(asked)}. It is ${promised}, which the deposit covers and the provider can claim while the channel is not closed; not claimed yet.`,
      'payment',
    )
}

/** Finds at which place of a voucher's or claim's shares this share is proven to stand. */
function proofsOf({ id, seq, amount, proofs }: Share) {
  const leaf = { seq, agreement: id, amount: BigInt(amount ?? 0n) }
  return ({ jobs, jobsRoot }: Pick<Voucher, 'jobs' | 'jobsRoot'>): number | undefined =>
    proofs.find(({ index, siblings }) => rootFromProof(leaf, index, jobs, siblings) === jobsRoot)
      ?.index
}
