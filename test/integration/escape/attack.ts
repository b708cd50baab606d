import assert from 'node:assert/strict'
import type { Sandbox, SandboxResult } from '../../../node/ports/sandbox.ts'
import { runProgram, textOf, type Program } from '../../conformance/sandbox.ts'
import type { Bait } from './bait.ts'

/** One way out that a job tries, and what must come of it. */
export interface Attack {
  readonly name: string
  /** What holds it, in words: part of the test's name. */
  readonly contained: string
  /** Why it cannot be tried here, or `false`. */
  readonly skip?: (target: Target) => string | false
  readonly attempt: (target: Target, bait: Bait) => Promise<void>
}

/** The sandbox under attack. */
export interface Target {
  readonly sandbox: Sandbox
  /** Whether the job has a kernel of its own. */
  readonly isGvisor: boolean
  /** What its tasks list; left out: nothing. */
  readonly egress?: readonly string[]
}

/** Runs `program` and checks what holds for every attack: nothing of the bait came back, none of it was touched. */
export async function attempt(
  { sandbox, egress }: Target,
  bait: Bait,
  program: Program,
  run: Parameters<typeof runProgram>[3] = {},
  args: readonly string[] = [],
): Promise<SandboxResult & { readonly said: string }> {
  const result = await runProgram(sandbox, program, args, { ...(egress && { egress }), ...run })
  const said = textOf(result.stdout)
  const parts = [
    said,
    textOf(result.stderr),
    result.detail,
    ...result.files.map((one) => textOf(one.bytes)),
  ]
  assert.ok(!parts.some((part) => part.includes(bait.token)), 'the bait came back')
  assert.equal(bait.visits(), 0, 'somebody came through')
  assert.ok(bait.isAlive(), 'a process of the host was ended')
  return { ...result, said }
}
