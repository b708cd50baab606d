import type { BundleBody } from '../../api/schemas/bundle.ts'
import { HiveError } from '../../domain/errors.ts'
import type { Address, Bytes32 } from '../../domain/ids.ts'
import type { SigningDomain } from '../../protocol/typed-data.ts'
import type { CliParts } from '../parts.ts'
import { channelEvidence } from './channel-evidence.ts'
import { readChannel, type ChannelReading } from './channel-reading.ts'
import { compare } from './comparing-endpoints.ts'
import { ASPECTS, Findings, type Aspect, type Finding, type Verdict } from './findings.ts'
import { channelsOf, verifyBundle } from './verify-bundle.ts'

/** What is checked: a job by its bundle, or a channel by its id alone. */
export type Subject = { readonly bundle: BundleBody } | { readonly channel: Bytes32 }

export interface VerifyTerms {
  /** Endpoints of the chain; what the first says is held against every other. */
  readonly rpcs: readonly string[]
  readonly address: Address
  /** Whether the user named the contract, and not the bundle alone. */
  readonly isTrusted: boolean
  readonly signal: AbortSignal
}

/** What came out, as it is printed for machines. */
export interface VerifyAnswer extends Readonly<Record<Aspect, Verdict>> {
  readonly verdict: Verdict
  readonly endpoints: readonly { readonly name: string; readonly block: number }[]
  readonly findings: readonly Finding[]
}

interface Endpoint {
  readonly name: string
  readonly readings: readonly ChannelReading[]
  readonly block: number
}

/** Checks a subject against the chain. Throws what the endpoints throw, and `INPUT_INVALID`. */
export async function verifySubject(
  openEscrow: CliParts['openEscrow'],
  subject: Subject,
  { rpcs, address, isTrusted, signal }: VerifyTerms,
): Promise<VerifyAnswer> {
  const names = namesOf(rpcs)
  const ids = 'bundle' in subject ? channelsOf(subject.bundle) : [subject.channel]
  const endpoints: Endpoint[] = []
  let chainId = 'bundle' in subject ? subject.bundle.chainId : undefined
  for (const [at, rpc] of rpcs.entries()) {
    const request = { rpc, ...(chainId !== undefined && { chainId }), address, signal }
    await using escrow = await openEscrow(request)
    chainId = escrow.chainId
    const block = await escrow.newestBlock({ signal })
    const readings: ChannelReading[] = []
    for (const id of ids) readings.push(await readChannel(escrow, id, signal))
    endpoints.push({ name: names[at] ?? rpc, readings, block })
  }
  const findings = new Findings()
  judge(subject, { chainId: chainId ?? 0, escrow: address }, endpoints, findings)
  caveats(findings, { names, address, isTrusted })
  const answers = Object.fromEntries(ASPECTS.map((aspect) => [aspect, findings.answer(aspect)]))
  return {
    verdict: findings.verdict,
    ...(answers as Record<Aspect, Verdict>),
    endpoints: endpoints.map(({ name, block }) => ({ name, block })),
    findings: findings.all,
  }
}

function judge(
  subject: Subject,
  contract: SigningDomain,
  endpoints: readonly Endpoint[],
  findings: Findings,
): void {
  const [first, ...others] = endpoints
  if (first === undefined) return
  const channels = first.readings.flatMap((reading, at) => {
    for (const { name, readings } of others) {
      const other = readings[at]
      if (other === undefined) continue
      if (other.fault === undefined)
        compare({ endpoint: first.name, reading }, { endpoint: name, reading: other }, findings)
      else findings.refuted(`${name} contradicts itself about channel ${other.id}: ${other.fault}.`)
    }
    return channelEvidence(reading, first.name, findings) ?? []
  })
  if ('bundle' in subject) verifyBundle(subject.bundle, contract, channels, findings)
  else findings.open('Which jobs were paid: check a job’s bundle file for that.')
}

function caveats(
  findings: Findings,
  {
    names,
    address,
    isTrusted,
  }: { names: readonly string[] } & Omit<VerifyTerms, 'rpcs' | 'signal'>,
): void {
  if (!isTrusted)
    findings.open(
      `That ${address} is the contract you trust: the bundle names it, and anyone can deploy one that says what it likes. Say which you trust with --escrow.`,
      'funding',
    )
  findings.open(
    names.length === 1
      ? `That ${names[0]} tells the truth about the chain: use an endpoint that you trust, or give --rpc twice to compare two.`
      : `That the chain is as told: ${names.join(' and ')} could lie together.`,
  )
}

/** What endpoints are called in the answer: no path, which may hold a key. */
function namesOf(rpcs: readonly string[]): string[] {
  const hosts = rpcs.map((rpc) => {
    if (!URL.canParse(rpc))
      throw new HiveError('INPUT_INVALID', { problems: ['--rpc: expected a URL'] })
    return new URL(rpc).host
  })
  if (new Set(rpcs).size < rpcs.length)
    throw new HiveError('INPUT_INVALID', { problems: ['--rpc: the same endpoint twice'] })
  return hosts.map((host, at) =>
    hosts.indexOf(host) === hosts.lastIndexOf(host) ? host : `${host} (${at + 1})`,
  )
}
