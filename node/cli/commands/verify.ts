import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { HiveError } from '../../domain/errors.ts'
import { isHex, type Address, type Bytes32 } from '../../domain/ids.ts'
import { command, contextOf, interruptible, type CommonOptions, type SetExit } from '../command.ts'
import { EXIT } from '../job/exit-code.ts'
import type { Style } from '../output/style.ts'
import type { CliParts } from '../parts.ts'
import { channelEvidence } from '../verify/channel-evidence.ts'
import { Findings, type Verdict } from '../verify/findings.ts'
import { readBundle, verifyBundle } from '../verify/verify-bundle.ts'

interface VerifyOptions extends CommonOptions {
  readonly rpc: string
  readonly escrow?: string
}

/** `hive verify`: checks a job or a channel without any node of ours. */
export function verifyCommand(parts: CliParts, setExit: SetExit): Command {
  return command({
    usage: 'verify <file|channel>',
    description:
      'Check a job’s bundle file, or a channel, from an RPC endpoint alone; no node needed',
    examples: [
      'job 0x3fa2 --bundle proof.json && hive verify proof.json --rpc https://rpc.example.org',
      'verify 0x… --rpc http://127.0.0.1:8545 --escrow 0x…',
    ],
  })
    .argument('<file|channel>', 'a file that `hive job ID --bundle FILE` wrote, or a channel id')
    .requiredOption('--rpc <url>', 'JSON-RPC endpoint of the chain')
    .option('--escrow <address>', 'the contract that you trust; needed for a channel')
    .action(async (subject: string, options: VerifyOptions) => {
      const { show, style } = contextOf(parts, options)
      using stop = interruptible(parts)
      const findings = await verify(parts, subject, options, stop.signal)
      setExit(findings.holds ? EXIT.ok : EXIT.failed)
      await show({ holds: findings.holds, findings: findings.all }, () => lines(findings, style))
    })
}

async function verify(
  parts: CliParts,
  subject: string,
  { rpc, escrow: trusted }: VerifyOptions,
  signal: AbortSignal,
): Promise<Findings> {
  const findings = new Findings()
  const bundle = isHex(subject, 32)
    ? undefined
    : readBundle(await textOf(resolve(parts.cwd, subject)))
  const address = addressOf(trusted ?? bundle?.escrow)
  const chainId = bundle === undefined ? {} : { chainId: bundle.chainId }
  await using escrow = await parts.openEscrow({ rpc, ...chainId, address, signal })
  if (bundle === undefined) {
    await channelEvidence(escrow, subject as Bytes32, findings, signal)
    findings.open('Which jobs were paid: check a job’s bundle file for that.')
  } else await verifyBundle(bundle, escrow, findings, signal)
  if (trusted === undefined)
    findings.open(
      `That ${address} is the contract you trust: the bundle names it. Say so with --escrow.`,
    )
  findings.open('That the endpoint tells the truth about the chain: use one that you trust.')
  return findings
}

function lines(findings: Findings, style: Style): string[] {
  const heads: Readonly<Record<Verdict, string>> = {
    refuted: style.bad('REFUTED'),
    proven: style.good('PROVEN'),
    open: style.warn('NOT PROVEN'),
  }
  return (['refuted', 'proven', 'open'] as const).flatMap((verdict) => {
    const found = findings.all.filter((finding) => finding.verdict === verdict)
    return found.length === 0 ? [] : [heads[verdict], ...found.map(({ text }) => `  ${text}`), '']
  })
}

function addressOf(text: string | undefined): Address {
  const lower = text?.toLowerCase()
  if (isHex(lower, 20)) return lower
  throw new HiveError('INPUT_INVALID', { problems: ['--escrow: expected 0x and 40 hex digits'] })
}

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    throw new HiveError('INPUT_INVALID', { problems: [`${path}: cannot be read`] }, { cause })
  }
}
