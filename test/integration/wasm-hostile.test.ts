import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { ISOLATIONS } from '../../node/adapters/wasm/runner-command.ts'
import { MiB } from '../../node/domain/units.ts'
import type { Sandbox } from '../../node/ports/sandbox.ts'
import { runProgram, textOf, type Program } from '../conformance/sandbox.ts'
import {
  ENDLESS_CODE,
  EXPORTS,
  FUNCTIONS,
  MEMORY,
  name,
  section,
  TYPES,
  uleb,
  wasmModule,
} from '../support/wasm-module.ts'
import { WASM_PROGRAMS } from '../support/wasm-programs.ts'
import { isolationMissing, openTestWasm } from '../support/wasm-sandboxes.ts'

/** What the attack is, the module, how it must end, and what the detail must say. */
type Attack = readonly [what: string, module: Uint8Array, reason: RegExp, detail: RegExp]

const END = 0x0b
const command = (code: readonly number[], locals = 0) =>
  wasmModule(TYPES, FUNCTIONS, MEMORY, EXPORTS, bodies([code], locals))
const bodies = (all: readonly (readonly number[])[], locals = 0) => {
  const groups = locals === 0 ? [0] : [1, ...uleb(locals), 0x7f]
  const each = all.map((code) => [
    ...uleb(groups.length + code.length + 1),
    ...groups,
    ...code,
    END,
  ])
  const content = [...uleb(all.length)]
  for (const body of each) for (const byte of body) content.push(byte)
  const head = [10, ...uleb(content.length)]
  return head.concat(content)
}
const times = (count: number, code: readonly number[]) =>
  Array.from({ length: count }, () => code).flat()
const imported = (kind: readonly number[]) =>
  section(2, 1, ...name('env'), ...name('given'), ...kind)
const withMemory = (...memory: number[]) =>
  wasmModule(TYPES, FUNCTIONS, section(5, ...memory), EXPORTS, section(10, 1, 2, 0, END))

const ATTACKS: readonly Attack[] = [
  [
    'a memory that starts above the limit',
    withMemory(1, 0, ...uleb(60_000)),
    /image-bad/,
    /60000 pages/,
  ],
  [
    'a memory of the host',
    wasmModule(TYPES, imported([2, 0, 1]), FUNCTIONS, MEMORY, EXPORTS, section(10, 1, 2, 0, END)),
    /image-bad/,
    /env\.given \(memory\)/,
  ],
  ['a shared memory', withMemory(1, 3, 1, 2), /image-bad/, /threads/],
  [
    'huge tables',
    wasmModule(
      TYPES,
      FUNCTIONS,
      section(4, 1, 0x70, 0, ...uleb(100_000_000)),
      MEMORY,
      EXPORTS,
      section(10, 1, 2, 0, END),
    ),
    /image-bad/,
    /tables are too large/,
  ],
  [
    'a start function without end',
    wasmModule(TYPES, FUNCTIONS, MEMORY, EXPORTS, section(8, 0), ENDLESS_CODE),
    /timeout|fuel/,
    /ran for|fuel/,
  ],
  ['recursion without end', command([0x10, 0]), /exit/, /trap/],
  [
    'recursion without end that keeps much',
    command([0x10, 0, 0x41, 0, 0x21, 0], 5000),
    /exit/,
    /trap/,
  ],
  [
    'memory taken to the end and over',
    command([0x03, 0x40, 0x41, 16, 0x40, 0, 0x41, 0x7f, 0x47, 0x0d, 0, END, 0x00]),
    /oom/,
    /memory may grow/,
  ],
  ['the meter’s own globals', command([0x42, 0x7f, 0x24, 0]), /image-bad/, /global/i],
  ['the meter’s own locals', command([0x42, 0x7f, 0x21, 0]), /image-bad/, /local/i],
  [
    'loops that take minutes to compile',
    command(times(20_000, [0x03, 0x40, END])),
    /image-bad/,
    /20000 loops/,
  ],
  [
    'locals that take minutes to compile',
    command(times(5000, [0x41, 0, 0x04, 0x40, 0x41, 1, 0x21, 0, END]), 50_000),
    /image-bad/,
    /branches times locals/,
  ],
  [
    'blocks nested deeply',
    command([...times(20_000, [0x02, 0x40]), ...times(20_000, [END])]),
    /exit|image-bad/,
    /^/,
  ],
  ['sections cut off', command([]).slice(0, -3), /image-bad/, /ends too early/],
]

for (const isolation of ISOLATIONS) {
  const skip = await isolationMissing(isolation)
  describe(`hostile modules in ${isolation}`, { skip }, () => {
    let sandbox: Sandbox
    before(async () => {
      sandbox = await openTestWasm({ isolations: [isolation] })
    })
    after(async () => {
      await sandbox[Symbol.asyncDispose]()
    })

    const modes = {
      'as they are': {},
      counted: { fuel: 50_000_000 },
      deterministic: { fuel: 50_000_000, seed: new Uint8Array(32) },
    }
    for (const [mode, { seed, ...fuel }] of Object.entries<{ fuel?: number; seed?: Uint8Array }>(
      modes,
    ))
      for (const [what, module, reason, detail] of ATTACKS)
        test(`${mode}: ${what}`, async () => {
          const program: Program = { image: { id: what, load: async () => module }, args: [] }
          const began = performance.now()
          const result = await runProgram(sandbox, program, [], {
            limits: { wallMs: 1500, memoryBytes: 16 * MiB, ...fuel },
            ...(seed && { seed }),
          })
          assert.ok(performance.now() - began < 10_000, `${performance.now() - began} ms`)
          assert.match(result.reason, reason, result.detail)
          assert.match(result.detail, detail)
          assert.ok(result.usage.peakMemoryBytes <= 16 * MiB)
          const next = await runProgram(sandbox, WASM_PROGRAMS.echo, ['0', 'unharmed'])
          assert.equal(textOf(next.stdout), 'unharmed\n')
        })
  })
}
