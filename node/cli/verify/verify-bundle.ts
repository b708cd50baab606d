import { Value } from 'typebox/value'
import { BundleBody } from '../../api/schemas/bundle.ts'
import { HiveError } from '../../domain/errors.ts'
import type { Escrow } from '../../ports/escrow.ts'
import { createEnvelopeCodec } from '../../protocol/envelope.ts'
import { channelEvidence, type ChannelEvidence } from './channel-evidence.ts'
import type { Findings } from './findings.ts'
import { shareEvidence } from './share-evidence.ts'

/** Most problems of a damaged bundle that are listed. */
const MAX_PROBLEMS = 20

/** A bundle file's text. Throws `INPUT_INVALID` with what is wrong and where. */
export function readBundle(text: string): BundleBody {
  let raw: unknown
  try {
    raw = JSON.parse(text)
  } catch (cause) {
    throw new HiveError('INPUT_INVALID', { problems: ['bundle: expected JSON'] }, { cause })
  }
  if (Value.Check(BundleBody, raw)) return raw
  const problems = [...Value.Errors(BundleBody, raw)].map(
    ({ instancePath, message }) => `bundle${instancePath.replaceAll('/', '.')}: ${message}`,
  )
  throw new HiveError('INPUT_INVALID', { problems: problems.slice(0, MAX_PROBLEMS) })
}

/** Checks a job's bundle against the chain, share by share. */
export async function verifyBundle(
  bundle: BundleBody,
  escrow: Escrow,
  findings: Findings,
  signal: AbortSignal,
): Promise<void> {
  if (bundle.chainId !== escrow.chainId || bundle.escrow !== escrow.address)
    findings.refuted(
      `The bundle is for another contract: it names ${bundle.escrow} on chain ${bundle.chainId}.`,
    )
  const { chainId, address } = escrow
  const codec = createEnvelopeCodec({ chainId, escrow: address })
  const channels = new Map<string, ChannelEvidence | undefined>()
  for (const id of new Set(bundle.shares.map(({ channel }) => channel)))
    channels.set(id, await channelEvidence(escrow, id, findings, signal))
  for (const share of bundle.shares) {
    const channel = channels.get(share.channel)
    if (channel !== undefined) shareEvidence(share, { codec, bundle, channel, findings })
  }
  if (bundle.shares.length === 0)
    findings.open('The job has no shares: nobody was asked to work on it.')
  findings.open(
    'That the results are right: whoever has the program and its inputs can run it again and compare.',
  )
}
