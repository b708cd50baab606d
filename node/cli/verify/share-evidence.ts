import { codeOf } from '../../domain/errors.ts'
import { short } from '../../domain/ids.ts'
import { fromHex } from '../../protocol/bytes.ts'
import { cidDigest } from '../../protocol/cid.ts'
import type { Signed } from '../../protocol/envelope.ts'
import { taskListHash } from '../../protocol/typed-data.ts'
import { counted, tokens } from '../output/words.ts'
import { paymentEvidence } from './payment-evidence.ts'
import { isBy, type Share, type ShareContext } from './share-context.ts'

/**
 * Checks one share: who agreed to what, what was delivered, and whether it was funded and paid.
 * Returns the tasks whose completion the provider signed for.
 */
export function shareEvidence(share: Share, context: ShareContext): readonly number[] {
  const { findings } = context
  const name = `Share ${short(share.id)}`
  try {
    const agreement = agreementOf(share, context, name)
    if (agreement === undefined) return []
    fundingOf(agreement, context, name)
    const tasks = tasksOf(share, agreement, context, name)
    if (share.receipt === undefined) {
      findings.open(`${name}: there is no receipt, so no result, and nothing is owed for it.`)
      return []
    }
    if (context.channel.cases.get(share.id)?.ended?.outcome === 'provider-wrong')
      findings.refuted(`${name}: the contract ruled against its provider.`, 'state')
    const receipt = receiptOf(share, agreement, context, name)
    if (receipt === undefined) return []
    paymentEvidence(share, receipt.amount, context, name)
    return receipt.completed === tasks.length ? tasks : []
  } catch (error) {
    findings.refuted(`${name} cannot be read: a message in it is damaged (${codeOf(error)}).`)
    return []
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
  if (!isBy(requester, channel.requesterKey)) {
    findings.refuted(`${name}: the agreement is not signed by the channel’s requester.`)
    return undefined
  }
  const terms = `${counted(message.tasks, 'task')} of the program ${bundle.spec} for ${tokens(message.price)}`
  if (provider === undefined) {
    findings.open(`${name}: the requester offered ${terms}; the provider has not signed.`)
  } else if (isBy(provider, channel.providerKey)) {
    findings.signed(`${name}: requester and provider both signed an agreement over ${terms}.`)
  } else findings.refuted(`${name}: the agreement is not signed by the channel’s provider.`)
  if (message.offer !== bundle.job)
    findings.open(
      `${name}: that it belongs to this job. It was made for a later offer, ${short(message.offer)}; the program is the job’s.`,
    )
  return agreement
}

function fundingOf(
  { id, message }: Signed<'Agreement'>,
  { channel, findings }: ShareContext,
  name: string,
): void {
  const { owedAfter, stake } = message
  const own = channel.openedFor === id ? ' The channel was opened for this agreement.' : ''
  if (owedAfter > channel.deposit)
    findings.open(
      `${name}: that it was funded. With it the channel would owe ${tokens(owedAfter)}, and its deposit is ${tokens(channel.deposit)}.`,
      'funding',
    )
  else
    findings.onChain(
      `${name}: the deposit of ${tokens(channel.deposit)} covers all ${tokens(owedAfter)} that the channel owes once this share is paid.${own}`,
      'funding',
    )
  if (stake > channel.bond)
    findings.open(`${name}: that its stake of ${tokens(stake)} is there; the bond is smaller.`)
}

/** The tasks of the share, as agreed. */
function tasksOf(
  share: Share,
  agreement: Signed<'Agreement'>,
  { codec, channel, findings }: ShareContext,
  name: string,
): readonly number[] {
  const { message, signatories } = codec.open('Award', fromHex(share.award))
  const fits =
    isBy(signatories[0], channel.requesterKey) &&
    message.agreement === agreement.id &&
    taskListHash(message.tasks) === agreement.message.input
  if (fits) return message.tasks
  findings.refuted(`${name}: the task list is not the one that was agreed.`)
  return []
}

function receiptOf(
  share: Share,
  agreement: Signed<'Agreement'>,
  { codec, channel, findings }: ShareContext,
  name: string,
): Signed<'Receipt'>['message'] | undefined {
  const { message, signatories } = codec.open('Receipt', fromHex(share.receipt ?? '0x'))
  const { tasks, price } = agreement.message
  const fits =
    isBy(signatories[0], channel.providerKey) &&
    message.agreement === agreement.id &&
    message.completed <= tasks &&
    message.amount <= price &&
    (share.amount === undefined || BigInt(share.amount) === message.amount)
  if (!fits) {
    findings.refuted(
      `${name}: the receipt is not the provider’s, or does not fit the agreement.`,
      'state',
    )
    return undefined
  }
  findings.signed(
    `${name}: the provider signed a receipt for ${message.completed} of ${counted(tasks, 'task')}, asking ${tokens(message.amount)}, with results that hash to ${message.dataRoot}.`,
    'state',
  )
  return message
}
