import type { BundleBody } from '../../api/schemas/bundle.ts'
import type { Bytes32 } from '../../domain/ids.ts'
import { createEnvelopeCodec } from '../../protocol/envelope.ts'
import type { SigningDomain } from '../../protocol/typed-data.ts'
import { counted } from '../output/words.ts'
import type { ChannelEvidence } from './channel-evidence.ts'
import type { Findings } from './findings.ts'
import { voucherEvidence } from './payment-evidence.ts'
import { shareEvidence } from './share-evidence.ts'

/** The channels that a bundle's shares are on. */
export function channelsOf({ shares }: BundleBody): Bytes32[] {
  return [...new Set(shares.map(({ channel }) => channel))]
}

/** Checks a job's bundle against what the chain says of its channels, share by share. */
export function verifyBundle(
  bundle: BundleBody,
  contract: SigningDomain,
  channels: readonly ChannelEvidence[],
  findings: Findings,
): void {
  if (bundle.chainId !== contract.chainId || bundle.escrow !== contract.escrow)
    findings.refuted(
      `The bundle is for another contract: it names ${bundle.escrow} on chain ${bundle.chainId}.`,
    )
  const codec = createEnvelopeCodec(contract)
  const done = new Set<number>()
  for (const channel of channels) {
    if (channel.requester !== bundle.requester)
      findings.refuted(`Channel ${channel.id} is not of the bundle’s requester.`)
    const bytes = bundle.channels.find(({ id }) => id === channel.id)?.voucher
    const voucher = voucherEvidence(bytes, { codec, channel, findings })
    const context = { codec, bundle, channel, voucher, findings }
    for (const share of bundle.shares.filter((each) => each.channel === channel.id))
      for (const task of shareEvidence(share, context)) done.add(task)
  }
  const ids = bundle.shares.map(({ id }) => id)
  if (new Set(ids).size < ids.length) findings.refuted('The bundle lists a share twice.')
  tasksFindings(bundle, done, findings)
}

function tasksFindings(
  { shares, tasks }: BundleBody,
  done: ReadonlySet<number>,
  findings: Findings,
): void {
  if (shares.length === 0)
    findings.open('The job has no shares: nobody was asked to work on it.', 'state')
  const covered = [...done].filter((task) => task < tasks).length
  if (covered === tasks)
    findings.signed(`Receipts show all of the job’s ${counted(tasks, 'task')} completed.`, 'state')
  else
    findings.open(
      `That the job is done: receipts show ${covered} of its ${counted(tasks, 'task')} completed.`,
      'state',
    )
  findings.open(
    `That the job had ${counted(tasks, 'task')} and no other shares: the bundle says so, and no signature does.`,
  )
  findings.open(
    'That the results are right: a receipt tells who answers for them, and no more. Whoever has the program and its inputs can run it again and compare.',
  )
}
