import { resolve } from 'node:path'
import type { Command } from 'commander'
import { HiveError } from '../../domain/errors.ts'
import { isHex, type Address } from '../../domain/ids.ts'
import { command, contextOf, interruptible, type CommonOptions, type SetExit } from '../command.ts'
import type { Style } from '../output/style.ts'
import type { CliParts } from '../parts.ts'
import { ASPECTS, type Finding, type Verdict } from '../verify/findings.ts'
import { readBundleFile } from '../verify/bundle-file.ts'
import { verifySubject, type VerifyAnswer } from '../verify/verify-subject.ts'

interface VerifyOptions extends CommonOptions {
  readonly rpc: readonly string[]
  readonly escrow?: string
}

/** Exit codes of `hive verify` beside 1 for what could not be checked at all. */
const EXIT_OF: Readonly<Record<Verdict, number>> = { proven: 0, refuted: 3, open: 4 }

/** `hive verify`: checks a job or a channel without any node of ours. */
export function verifyCommand(parts: CliParts, setExit: SetExit): Command {
  return command({
    usage: 'verify <file|channel>',
    description:
      'Check a job’s bundle file, or a channel, from an RPC endpoint alone; no node needed',
    examples: [
      'job 0x3fa2 --bundle proof.json',
      'verify proof.json --rpc https://rpc.example.org --escrow 0x…',
      'verify 0x… --escrow 0x… --rpc https://rpc.example.org --rpc https://other.example.net',
    ],
  })
    .argument('<file|channel>', 'a file that `hive job ID --bundle FILE` wrote, or a channel id')
    .requiredOption(
      '--rpc <url>',
      'JSON-RPC endpoint of the chain; given twice, both are asked and compared',
      (url: string, before: readonly string[] | undefined) => [...(before ?? []), url],
    )
    .option('--escrow <address>', 'the contract that you trust; needed for a channel')
    .action(async (subject: string, options: VerifyOptions) => {
      const { show, style } = contextOf(parts, options)
      using stop = interruptible(parts)
      const bundle = isHex(subject, 32)
        ? undefined
        : await readBundleFile(resolve(parts.cwd, subject))
      const answer = await verifySubject(
        parts.openEscrow,
        bundle === undefined ? { channel: subject as `0x${string}` } : { bundle },
        {
          rpcs: options.rpc,
          address: addressOf(options.escrow ?? bundle?.escrow),
          isTrusted: options.escrow !== undefined,
          signal: stop.signal,
        },
      )
      setExit(EXIT_OF[answer.verdict])
      await show(answer, () => lines(answer, style))
    })
}

function lines(answer: VerifyAnswer, style: Style): string[] {
  const words: Readonly<Record<Verdict, string>> = {
    proven: style.good('proven'),
    refuted: style.bad('refuted'),
    open: style.warn('not proven'),
  }
  const said = answer.endpoints.map(({ name, block }) => `${name} (block ${block})`).join(', ')
  const sections: readonly (readonly [string, (finding: Finding) => boolean])[] = [
    [style.bad('REFUTED'), ({ verdict }) => verdict === 'refuted'],
    [
      style.good('PROVEN by signatures, whatever the endpoint says'),
      ({ by }) => by === 'signatures',
    ],
    [style.good(`PROVEN by the chain, as told by ${said}`), ({ by }) => by === 'chain'],
    [style.warn('NOT PROVEN'), ({ verdict }) => verdict === 'open'],
  ]
  const found = sections.flatMap(([head, belongs]) => {
    const own = answer.findings.filter(belongs)
    return own.length === 0 ? [] : ['', head, ...own.map(({ text }) => `  ${text}`)]
  })
  return [...ASPECTS.map((aspect) => `${aspect.padEnd(8)} ${words[answer[aspect]]}`), ...found]
}

function addressOf(text: string | undefined): Address {
  const lower = text?.toLowerCase()
  if (isHex(lower, 20)) return lower
  throw new HiveError('INPUT_INVALID', { problems: ['--escrow: expected 0x and 40 hex digits'] })
}
