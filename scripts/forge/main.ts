/**
 * Runs fuzz tests and invariants of test/contracts a second time, with forge: another EVM, another fuzzer, longer
 * sequences. Fails, too, when a handler call never succeeded: its invariants would hold for nothing.
 * FOUNDRY_INVARIANT_RUNS=500 node scripts/forge/main.ts looks longer.
 */
import hre from 'hardhat'

import { findForge, NO_FORGE, runForge } from './forge.ts'
import { readReport } from './report.ts'

/** Sequences of calls that all invariants share, so that the step takes a minute however many there are. */
const SEQUENCES = 80
const FEWEST_SEQUENCES = 8
const WHAT = '^(invariant_|testFuzz_)'

const print = (line: string) => process.stdout.write(`${line}\n`)

async function sequencesEach(forge: string): Promise<number> {
  const { stdout } = await runForge(forge, ['test', '--list', '--json', '--match-test', WHAT])
  const list = JSON.parse(stdout) as Record<string, Record<string, string[]>>
  const names = Object.values(list).flatMap((contracts) => Object.values(contracts).flat())
  const invariants = names.filter((name) => name.startsWith('invariant_')).length
  return Math.max(FEWEST_SEQUENCES, Math.floor(SEQUENCES / Math.max(1, invariants)))
}

async function test(forge: string): Promise<boolean> {
  await hre.tasks.getTask('build').run({ quiet: true }) // the tests deploy what Hardhat built
  const settings = { FOUNDRY_INVARIANT_RUNS: String(await sequencesEach(forge)) }
  // oxlint-disable-next-line node/no-process-env -- forge's own variable, which the user may set
  const chosen = { ...settings, ...process.env } as Record<string, string>
  const args = ['test', '--match-test', WHAT]
  const { code, stdout } = await runForge(forge, [...args, '--json'], chosen)
  const { passed, failed, lines, calls } = readReport(stdout)
  lines.forEach(print)
  print('\nhandler call, over all invariants                  succeeded  reverted')
  for (const { call, succeeded, reverted } of calls)
    print(`${call.padEnd(48)} ${String(succeeded).padStart(11)} ${String(reverted).padStart(9)}`)
  const idle = calls.filter(({ succeeded }) => succeeded === 0)
  for (const { call } of idle) print(`${call} never succeeded`)
  failed.forEach(print)
  // Forge keeps what failed, and shows it shrunk to the calls that matter.
  if (failed.length > 0) await runForge(forge, [...args, '--rerun'], chosen, true)
  print(`ℹ pass ${passed}\nℹ fail ${failed.length + idle.length}`)
  return code === 0 && passed > 0 && failed.length + idle.length === 0
}

const forge = findForge()
if (forge === undefined) print(`skipped: ${NO_FORGE}\nℹ skipped 1`)
else process.exitCode = (await test(forge)) ? 0 : 1
