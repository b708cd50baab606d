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

/** Runs a step; what it says is shown as it comes, or at its end. Never throws: a broken step is a failed one. */
async function runStep({ name, command, args }: Step, isShown: boolean): Promise<StepResult> {
  const began = performance.now()
  const title = `\n── ${name}\n`
  if (isShown) process.stdout.write(title)
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', isShown ? 'inherit' : 'pipe'] })
  const [output, said]: [Buffer[], Buffer[]] = [[], []]
  child.stdout?.on('data', (chunk: Buffer) => {
    output.push(chunk)
    if (isShown) process.stdout.write(chunk)
    else said.push(chunk)
  })
  child.stderr?.on('data', (chunk: Buffer) => said.push(chunk))
  const code = await once(child, 'close').then(
    ([exit]) => exit as number | null,
    () => null, // the command could not be started
  )
  if (!isShown) process.stdout.write(`${title}${Buffer.concat(said).toString()}`)
  const text = stripVTControlCharacters(Buffer.concat(output).toString())
  const count = (pattern: RegExp) =>
    [...text.matchAll(pattern)].reduce((sum, [, a, b]) => sum + Number(a ?? b), 0)
  const counts = {
    passed: count(COUNTS.passed),
    failed: count(COUNTS.failed),
    skipped: count(COUNTS.skipped),
  }
  return { name, ok: code === 0, ms: performance.now() - began, ...counts }
}

/**
 * Runs lanes beside each other, the steps of each one after another; the first is shown as it goes. With `stopEarly` a
 * failure ends its lane. Prints what each step took. Steps of two lanes must share no files.
 */
export async function runGate(
  lanes: readonly (readonly Step[])[],
  stopEarly: boolean,
): Promise<readonly StepResult[]> {
  const run = async (steps: readonly Step[], isShown: boolean) => {
    const results: StepResult[] = []
    for (const step of steps) {
      const result = await runStep(step, isShown)
      results.push(result)
      if (stopEarly && !result.ok) break
    }
    return results
  }
  const results = (await Promise.all(lanes.map(async (steps, at) => run(steps, at === 0)))).flat()
  process.stdout.write('\n')
  for (const { name, ok, ms } of results) {
    process.stdout.write(
      `${ok ? '✔' : '✖'} ${name.padEnd(50)} ${(ms / 1000).toFixed(1).padStart(6)} s\n`,
    )
  }
  return results
}
