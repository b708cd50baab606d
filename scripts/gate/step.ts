import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { stripVTControlCharacters } from 'node:util'

/** One command of a gate. */
export interface Step {
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
}

/** How a step went; counts are those that test runners print. */
export interface StepResult {
  readonly name: string
  readonly ok: boolean
  readonly ms: number
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

/** What node:test and Hardhat say at the end of a run. */
const COUNTS = {
  passed: /(?:^ℹ pass (\d+)|^\s*(\d+) passing)/gm,
  failed: /(?:^ℹ fail (\d+)|^\s*(\d+) failing)/gm,
  skipped: /(?:^ℹ skipped (\d+)|^\s*(\d+) (?:skipped|pending))/gm,
} as const

/** Runs a step with its output passed through. Never throws: a broken step is a failed one. */
export async function runStep(step: Step): Promise<StepResult> {
  const began = performance.now()
  process.stdout.write(`\n── ${step.name}\n`)
  const child = spawn(step.command, step.args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const output: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => {
    output.push(chunk)
    process.stdout.write(chunk)
  })
  const code = await once(child, 'close').then(
    ([exit]) => exit as number | null,
    () => null, // the command could not be started
  )
  const text = stripVTControlCharacters(Buffer.concat(output).toString())
  const count = (pattern: RegExp) =>
    [...text.matchAll(pattern)].reduce((sum, [, a, b]) => sum + Number(a ?? b), 0)
  const counts = {
    passed: count(COUNTS.passed),
    failed: count(COUNTS.failed),
    skipped: count(COUNTS.skipped),
  }
  return { name: step.name, ok: code === 0, ms: performance.now() - began, ...counts }
}

/** Runs steps one after another; with `stopEarly` the first failure ends it. Prints what each took. */
export async function runGate(
  steps: readonly Step[],
  stopEarly: boolean,
): Promise<readonly StepResult[]> {
  const results: StepResult[] = []
  for (const step of steps) {
    results.push(await runStep(step))
    if (stopEarly && results.at(-1)?.ok !== true) break
  }
  process.stdout.write('\n')
  for (const { name, ok, ms } of results) {
    process.stdout.write(
      `${ok ? '✔' : '✖'} ${name.padEnd(40)} ${(ms / 1000).toFixed(1).padStart(6)} s\n`,
    )
  }
  return results
}
