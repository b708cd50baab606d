import { spawn } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { stripVTControlCharacters } from 'node:util'
import type { Workshop } from './workshop.ts'

/** Tests that run together, the quickest first. */
export interface Stage {
  readonly name: string
  /** Which of Hardhat's runners they are for. */
  readonly kind: 'solidity' | 'nodejs'
  readonly files: readonly string[]
}

/** How a command of Hardhat ended. */
export interface Outcome {
  readonly ok: boolean
  /** Names of the tests that failed, in the order they did. */
  readonly failed: readonly string[]
  readonly output: string
}

/** How long a step may take, ms: a bug may be an endless loop. */
const STEP_TIMEOUT_MS = 180_000

/** Gas and bytes are another build's; these would catch every bug by its bytes alone. */
const LEFT_OUT = /\/gas\/|artifact\.test\.ts$/

/** All contract tests that judge behaviour: fuzz and unit tests, invariants, and those in TypeScript. */
export function stagesOf({ root }: Workshop): readonly Stage[] {
  const files = (pattern: string) =>
    globSync(`test/contracts/**/${pattern}`, { cwd: root })
      .filter((file) => !LEFT_OUT.test(file))
      .sort()
  const isInvariant = (file: string) =>
    readFileSync(join(root, file), 'utf8').includes('function invariant_')
  const solidity = files('*.t.sol')
  return [
    { name: 'fuzz', kind: 'solidity', files: solidity.filter((file) => !isInvariant(file)) },
    { name: 'invariants', kind: 'solidity', files: solidity.filter(isInvariant) },
    { name: 'transitions', kind: 'nodejs', files: files('*.test.ts') },
  ]
}

/** Runs Hardhat in a workshop. */
export async function hardhat(
  workshop: Workshop,
  args: readonly string[],
  timeoutMs: number = STEP_TIMEOUT_MS,
): Promise<Outcome> {
  const child = spawn('hardhat', args, {
    cwd: workshop.root,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
  })
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject).once('close', resolve)
  })
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended])
  const late =
    child.signalCode === null ? '' : `\nended by ${child.signalCode}, at ${timeoutMs} ms\n`
  const output = stripVTControlCharacters(stdout + stderr) + late
  // The summary, after "N failing", names each failed test in full.
  const summary = output.split(/\n\s+\d+ failing\n/)[1] ?? ''
  const failed = [...summary.matchAll(/^ {1,4}\d+\) (.+)$/gm)].map(([, name = '']) => name.trim())
  return { ok: code === 0, failed, output }
}
