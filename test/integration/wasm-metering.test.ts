import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { MAX_STACK_SLOTS } from '../../node/adapters/wasm/module/body-writer.ts'
import { ISOLATIONS } from '../../node/adapters/wasm/runner-command.ts'
import { MiB } from '../../node/domain/units.ts'
import type { Sandbox, SandboxResult } from '../../node/ports/sandbox.ts'
import { runProgram, textOf, type Program } from '../conformance/sandbox.ts'
import {
  ENDLESS_CODE,
  EXPORTS,
  FUNCTIONS,
  MEMORY,
  section,
  TYPES,
  uleb,
  wasmModule,
} from '../support/wasm-module.ts'
import { WASM_PROGRAMS, wasmFixture } from '../support/wasm-programs.ts'
import { isolationMissing, openTestWasm } from '../support/wasm-sandboxes.ts'

const { echo, spin, cat, hog, sleep } = WASM_PROGRAMS
const oracle = wasmFixture('oracle.wasm')
const kernel = (name: string, rounds: number) => wasmFixture('kernels.wasm', name, String(rounds))
const seed = new Uint8Array(32).fill(7)
const PLENTY = 10_000_000_000

describe('fuel', () => {
  let sandbox: Sandbox
  before(async () => {
    sandbox = await openTestWasm()
  })
  after(async () => {
    await sandbox[Symbol.asyncDispose]()
  })

  test('without a limit nothing is counted; with one, what was used is told', async () => {
    const plain = await runProgram(sandbox, echo, ['3', 'hello'])
    assert.equal(plain.usage.fuel, undefined)
    const counted = await runProgram(sandbox, echo, ['3', 'hello'], { limits: { fuel: PLENTY } })
    assert.deepEqual([counted.reason, counted.exitCode], ['exit', 3])
    assert.equal(textOf(counted.stdout), 'hello\n')
    const { fuel = 0 } = counted.usage
    assert.ok(fuel > 100 && fuel < 1_000_000, String(fuel))
  })

  test('an endless loop ends by its fuel, which is what it is told to have used', async () => {
    const result = await runProgram(sandbox, spin, [], { limits: { fuel: 5_000_000 } })
    assert.deepEqual([result.reason, result.exitCode], ['fuel', -1])
    assert.match(result.detail, /5000000/)
    assert.equal(result.usage.fuel, 5_000_000)
    const next = await runProgram(sandbox, echo, ['0', 'next'])
    assert.equal(textOf(next.stdout), 'next\n')
  })

  test('exactly what a program uses is enough, and one less is not', async () => {
    const run = async (fuel: number) =>
      await runProgram(sandbox, kernel('sieve', 1), [], { limits: { fuel } })
    const { fuel = 0 } = (await run(PLENTY)).usage
    assert.equal((await run(fuel)).reason, 'exit')
    const short = await run(fuel - 1)
    assert.equal(short.reason, 'fuel')
    assert.equal(short.usage.fuel, fuel - 1)
  })

  test('a start function is counted, and can use the memory and WASI', async () => {
    const module = wasmModule(TYPES, FUNCTIONS, MEMORY, EXPORTS, section(8, 0), ENDLESS_CODE)
    const result = await runProgram(sandbox, made('endless start', module), [], {
      limits: { fuel: 1_000_000 },
    })
    assert.equal(result.reason, 'fuel')
  })

  test('computations come to the same results, counted or not', async () => {
    for (const program of [
      kernel('matmul', 2),
      kernel('sha256', 500),
      kernel('nbody', 500),
      kernel('sieve', 2),
      kernel('calls', 5),
    ]) {
      const plain = await runProgram(sandbox, program, [])
      const counted = await runProgram(sandbox, program, [], { limits: { fuel: PLENTY } })
      const fixed = await runProgram(sandbox, program, [], { seed })
      assert.equal(plain.exitCode, 0)
      assert.match(textOf(plain.stdout), /^-?[\d.e+-]+\n$/)
      assert.deepEqual(counted.stdout, plain.stdout, program.args.join(' '))
      assert.deepEqual(fixed.stdout, plain.stdout, program.args.join(' '))
      assert.equal(counted.usage.fuel, fixed.usage.fuel)
    }
  })

  test('wall time, output and memory stay limits of a counted program', async () => {
    const limits = { fuel: Number.MAX_SAFE_INTEGER, wallMs: 300 }
    const late = await runProgram(sandbox, spin, [], { limits })
    assert.equal(late.reason, 'timeout')
    assert.equal(late.usage.fuel, undefined)
    const full = await runProgram(sandbox, hog, [], {
      limits: { fuel: PLENTY, memoryBytes: 32 * MiB },
    })
    assert.equal(full.reason, 'oom', full.detail)
    // A crash with a large memory of which nothing was refused is no want of memory.
    const crash = await runProgram(sandbox, wasmFixture('programs.wasm', 'trap'), [], {
      limits: { fuel: PLENTY, memoryBytes: 5 * 65_536 },
    })
    assert.deepEqual([crash.reason, crash.exitCode], ['exit', 134], crash.detail)
  })

  test('what cannot be counted is refused by name, and only where it would be', async () => {
    // `i32.atomic.load` of a memory that nobody shares: valid, and of the threads proposal.
    const body = [0, 0x41, 0, 0xfe, 0x10, 2, 0, 0x1a, 0x0b]
    const module = wasmModule(
      TYPES,
      FUNCTIONS,
      MEMORY,
      EXPORTS,
      section(10, 1, body.length, ...body),
    )
    const atomic = made('atomic', module)
    assert.equal((await runProgram(sandbox, atomic, [])).reason, 'exit')
    const result = await runProgram(sandbox, atomic, [], { limits: { fuel: 100 } })
    assert.equal(result.reason, 'image-bad')
    assert.match(result.detail, /threads/)
    const garbage = made('garbage', new Uint8Array(50).fill(1))
    assert.equal((await runProgram(sandbox, garbage, [], { seed })).reason, 'image-bad')
  })

  test('part of a core is a part of the wall time as processor time', async () => {
    const limits = { cpuMillis: 100, wallMs: 4000 }
    const busy = await runProgram(sandbox, spin, [], { limits })
    assert.equal(busy.reason, 'timeout')
    assert.match(busy.detail, /400 ms of processor time/)
    assert.ok(busy.usage.cpuMs >= 390 && busy.usage.wallMs < 3900, JSON.stringify(busy.usage))
    const idle = await runProgram(sandbox, sleep, ['700'], {
      limits: { cpuMillis: 500, wallMs: 1000 },
    })
    assert.equal(idle.reason, 'exit')
  })
})

describe('deterministic tasks', () => {
  test('a runner of either isolation, and each new one, gives the same bytes and the same fuel', async () => {
    const seen: string[] = []
    for (const isolation of [...ISOLATIONS, ...ISOLATIONS]) {
      const missing = await isolationMissing(isolation)
      if (missing !== false) continue
      await using sandbox = await openTestWasm({ isolations: [isolation] })
      const told = await runProgram(sandbox, oracle, ['a', 'b'], { seed })
      assert.equal(told.exitCode, 0, textOf(told.stderr))
      const deep = await runProgram(sandbox, oracle, ['deep'], {
        seed,
        limits: { memoryBytes: 256 * MiB },
      })
      const work = await runProgram(sandbox, kernel('nbody', 300), [], { seed })
      seen.push(JSON.stringify([told, deep, work].map(fingerprint)))
    }
    assert.ok(seen.length >= 2)
    assert.deepEqual(new Set(seen).size, 1, seen.join('\n'))
  })

  test('randomness follows the seed, time follows the fuel, NaN is one', async () => {
    await using sandbox = await openTestWasm()
    const began = performance.now()
    const told = async (from: Uint8Array) =>
      textOf((await runProgram(sandbox, oracle, [], { seed: from })).stdout).split('\n')
    const [first, again, other] = [
      await told(seed),
      await told(seed),
      await told(new Uint8Array(32)),
    ]
    assert.ok(performance.now() - began < 20_000, 'an hour of sleep took time')
    assert.deepEqual(first, again)
    assert.notEqual(first[0], other[0])
    // AES-256 in counter mode under 32 zero bytes.
    assert.match(other[0] ?? '', /^dc95c078a2408989ad48a21492842087/)
    assert.match(first[1] ?? '', /^realtime 946684800\.000\d+$/)
    assert.match(first[2] ?? '', /^monotonic 0\.000\d+$/)
    assert.match(first[3] ?? '', /^an hour later 946688400\.000\d+$/)
    assert.deepEqual(first.slice(4, 9), [
      '0/0 7ff8000000000000',
      'inf-inf 7ff8000000000000',
      'sqrt(-1) 7ff8000000000000',
      '(float) 0/0 7ff8000000000000',
      'kept 7ff8000000000000',
    ])
    assert.match(first.find((line) => line.startsWith('made')) ?? '', /^made 946688400\.\d+$/)
  })

  test('without a seed randomness and time are this machine’s', async () => {
    await using sandbox = await openTestWasm()
    const told = async () => {
      // It sleeps for an hour after the first three lines.
      const result = await runProgram(sandbox, oracle, [], { limits: { wallMs: 500 } })
      assert.equal(result.reason, 'timeout')
      return textOf(result.stdout).split('\n')
    }
    const [first, second] = [await told(), await told()]
    assert.match(first[0] ?? '', /^[0-9a-f]{80}$/)
    assert.notEqual(first[0], second[0])
    const seconds = Number(/^realtime (\d+)/.exec(first[1] ?? '')?.[1])
    assert.ok(Math.abs(seconds - Date.now() / 1000) < 60, first[1])
  })

  test('calls are as deep as the stack is counted, to the slot', async () => {
    await using sandbox = await openTestWasm()
    const locals = 20_000
    const body = [1, ...uleb(locals), 0x7f, 0x10, 0, 0x0b]
    const module = wasmModule(
      TYPES,
      FUNCTIONS,
      MEMORY,
      EXPORTS,
      section(10, 1, body.length, ...body),
    )
    const result = await runProgram(sandbox, made('deep', module), [], { seed })
    assert.deepEqual([result.reason, result.exitCode], ['exit', 134])
    assert.match(result.detail, /nested too deeply/)
    assert.equal(result.usage.fuel, Math.floor(MAX_STACK_SLOTS / (8 + locals)))
  })

  test('one that asks for no fuel is not limited by it', async () => {
    await using sandbox = await openTestWasm()
    const result = await runProgram(sandbox, cat, [], { seed, stdin: new Uint8Array(300_000) })
    assert.equal(result.reason, 'exit')
    assert.equal(result.stdout.byteLength, 300_000)
    assert.ok((result.usage.fuel ?? 0) > 0)
  })
})

/** What has to be the same everywhere. */
function fingerprint({ reason, exitCode, detail, stdout, stderr, files, usage }: SandboxResult) {
  const hash = createHash('sha256').update(stdout).update(stderr)
  for (const { path, bytes } of files) hash.update(path).update(bytes)
  const { fuel, bytesIn, bytesOut } = usage
  return { reason, exitCode, detail, output: hash.digest('hex'), fuel, bytesIn, bytesOut }
}

function made(id: string, bytes: Uint8Array): Program {
  return { image: { id, load: async () => bytes }, args: [] }
}
