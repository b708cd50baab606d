import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { stripVTControlCharacters } from 'node:util'

/** One command of a gate. */
export interface Step {
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
  /** Runs beside the steps that follow it, which must share no files with it; printed when it has ended. */
  readonly isBeside?: boolean
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

/** Runs a step; what it says is shown as it comes, or at its end where it runs beside others. Never throws: a broken step is a failed one. */
export async function runStep(step: Step): Promise<StepResult> {
  const began = performance.now()
  const { command, args, isBeside = false } = step
  const title = `\n── ${step.name}\n`
  if (!isBeside) process.stdout.write(title)
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', isBeside ? 'pipe' : 'inherit'] })
  const [output, said]: [Buffer[], Buffer[]] = [[], []]
  child.stdout?.on('data', (chunk: Buffer) => {
    output.push(chunk)
    if (isBeside) said.push(chunk)
    else process.stdout.write(chunk)
  })
  child.stderr?.on('data', (chunk: Buffer) => said.push(chunk))
  const code = await once(child, 'close').then(
    ([exit]) => exit as number | null,
    () => null, // the command could not be started
  )
  if (isBeside) process.stdout.write(`${title}${Buffer.concat(said).toString()}`)
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

/** Runs steps one after another, save those beside; with `stopEarly` the first failure ends it. Prints what each took. */
export async function runGate(
  steps: readonly Step[],
  stopEarly: boolean,
): Promise<readonly StepResult[]> {
  const running: Promise<StepResult>[] = []
  for (const step of steps) {
    const result = runStep(step)
    running.push(result)
    if (step.isBeside !== true && !(await result).ok && stopEarly) break
  }
  const results = await Promise.all(running)
  process.stdout.write('\n')
  for (const { name, ok, ms } of results) {
    process.stdout.write(
      `${ok ? '✔' : '✖'} ${name.padEnd(40)} ${(ms / 1000).toFixed(1).padStart(6)} s\n`,
    )
  }
  return results
}
