import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { MiB } from '../../node/domain/units.ts'
import type { Sandbox } from '../../node/ports/sandbox.ts'
import { runProgram, SOON_MS, textFile, textOf, type Program } from '../conformance/sandbox.ts'
import { descendants } from '../support/child-processes.ts'
import {
  ENDLESS_CODE,
  EXPORTS,
  FUNCTIONS,
  MEMORY,
  name,
  section,
  TYPES,
  wasmModule,
} from '../support/wasm-module.ts'
import { wasiModule, type WasiCall } from '../support/wasi-module.ts'
import { WASM_PROGRAMS, wasmFixture } from '../support/wasm-programs.ts'
import { openTestWasm } from '../support/wasm-sandboxes.ts'

const { echo, spin, cat } = WASM_PROGRAMS
const misbehaving = (what: string) => wasmFixture('programs.wasm', what)
const made = (id: string, bytes: Uint8Array): Program => ({
  image: { id, load: async () => bytes },
  args: [],
})

describe('what a WASM task cannot do', () => {
  let sandbox: Sandbox
  before(async () => {
    sandbox = await openTestWasm()
  })
  after(async () => {
    await sandbox[Symbol.asyncDispose]()
  })

  test('no way out of the file tree works: traversal, symlink chains, hard links, other descriptors', async () => {
    const result = await runProgram(sandbox, wasmFixture('escape.wasm'), [])
    const report = textOf(result.stdout)
    assert.equal(result.reason, 'exit', result.detail)
    assert.doesNotMatch(report, /WORKED/)
    assert.equal(result.exitCode, 0, report)
    assert.match(report, /symlink dot\/\.\.: Not supported/)
    assert.match(report, /\.\.\/etc\/passwd: Capabilities insufficient/)
    assert.ok(report.trim().split('\n').length >= 20, report)
  })

  test('calls that are refused to a program are named when it fails, and only then', async () => {
    const run = async (id: string, ...calls: readonly WasiCall[]) =>
      runProgram(sandbox, { image: { id, load: async () => wasiModule(calls) }, args: [] }, [])
    const NOT_SUPPORTED = 58
    const links = await run('links', ['path_symlink', 0, 1, 3, 0, 1], ['sock_accept', 3, 0, 64])
    assert.deepEqual([links.reason, links.exitCode], ['exit', NOT_SUPPORTED])
    assert.equal(links.detail, 'no module may call path_symlink, sock_accept')
    const fine = await run('fine', ['sock_shutdown', 3, 0], ['sched_yield'])
    assert.deepEqual([fine.exitCode, fine.detail], [0, ''])
  })

  test('disk: one growing file and endless empty files both end at the limit', async () => {
    const limits = { diskBytes: 4 * MiB }
    const filled = await runProgram(sandbox, misbehaving('fill'), ['/out/big'], { limits })
    assert.equal(filled.reason, 'disk-limit', filled.detail)
    assert.match(filled.detail, /4194304/)
    const littered = await runProgram(sandbox, misbehaving('litter'), [], { limits })
    assert.equal(littered.reason, 'disk-limit')
    assert.deepEqual(littered.files, [])
  })

  test('a trap and a stack without end are crashes of the program, with code 134', async () => {
    const trap = await runProgram(sandbox, misbehaving('trap'), [])
    assert.deepEqual([trap.reason, trap.exitCode], ['exit', 134])
    assert.match(trap.detail, /^trap: /)
    const deep = await runProgram(sandbox, misbehaving('deep'), [])
    assert.deepEqual([deep.reason, deep.exitCode], ['exit', 134])
    const next = await runProgram(sandbox, echo, ['0', 'fine', 'again'])
    assert.equal(textOf(next.stdout), 'fine again\n')
  })

  test('small writes before a computation that never calls out are heard, and kept when it is killed', async () => {
    const stop = new AbortController()
    let heard = ''
    let cancelled = 0
    const result = await runProgram(sandbox, misbehaving('line-then-spin'), [], {
      signal: stop.signal,
      onOutput: (_stream, chunk) => {
        heard += textOf(chunk)
        if (heard !== 'one\ntwo\n') return
        cancelled = performance.now()
        stop.abort()
      },
    })
    assert.ok(performance.now() - cancelled < SOON_MS)
    assert.equal(result.reason, 'killed')
    assert.equal(textOf(result.stdout), 'one\ntwo\n')
    assert.ok(result.usage.peakMemoryBytes > 0)
  })

  test('a start function runs under the same timer', async () => {
    const module = wasmModule(TYPES, FUNCTIONS, MEMORY, EXPORTS, section(8, 0), ENDLESS_CODE)
    const result = await runProgram(sandbox, made('endless start', module), [], {
      limits: { wallMs: 300 },
    })
    assert.equal(result.reason, 'timeout')
  })

  test('a module that asks for more is image-bad, and the detail says for what', async () => {
    const imports = section(2, 1, ...name('env'), ...name('system'), 0, 0)
    const result = await runProgram(
      sandbox,
      made('wants more', wasmModule(TYPES, imports, FUNCTIONS, MEMORY, EXPORTS, ENDLESS_CODE)),
      [],
    )
    assert.equal(result.reason, 'image-bad')
    assert.match(result.detail, /env\.system/)
    const invalid = wasmModule(TYPES, FUNCTIONS, MEMORY, EXPORTS, section(10, 1, 3, 0, 0x6a, 0x0b))
    const broken = await runProgram(sandbox, made('does not validate', invalid), [])
    assert.equal(broken.reason, 'image-bad')
    const small = await runProgram(sandbox, echo, ['0'], { limits: { memoryBytes: 65_536 } })
    assert.equal(small.reason, 'image-bad')
    assert.match(small.detail, /memory starts at/)
  })

  test('an input path that leads nowhere is start-failed', async () => {
    for (const path of ['../up', 'relative', '/a/../../b', '/nul\0']) {
      const result = await runProgram(sandbox, cat, [], { files: [textFile(path, 'x')] })
      assert.equal(result.reason, 'start-failed', path)
    }
    const result = await runProgram(sandbox, cat, [], { outputs: 'out' })
    assert.equal(result.reason, 'start-failed')
  })
})

describe('the runner behind a WASM sandbox', () => {
  test('first runs at the same time load the image once', async () => {
    await using sandbox = await openTestWasm()
    let loads = 0
    const counted: Program = {
      ...cat,
      image: {
        id: 'counted',
        load: async () => {
          loads += 1
          return await cat.image.load()
        },
      },
    }
    const results = await Promise.all([1, 2, 3, 4].map(() => runProgram(sandbox, counted, [])))
    assert.deepEqual(
      results.map(({ reason }) => reason),
      ['exit', 'exit', 'exit', 'exit'],
    )
    assert.equal(loads, 1)
  })

  test('modules beyond the room for them are dropped and loaded again', async () => {
    await using sandbox = await openTestWasm({ moduleCacheBytes: 1 })
    const first = { ...cat, image: { ...cat.image, id: 'first' } }
    const second = { ...cat, image: { ...cat.image, id: 'second' } }
    for (const program of [first, second, first]) {
      const result = await runProgram(sandbox, program, [])
      assert.equal(result.reason, 'exit')
      assert.equal(sandbox.holds('first'), program === first)
    }
  })

  test('more tasks than threads wait their turn, and one that waits can be cancelled', async () => {
    await using sandbox = await openTestWasm({ threads: 1 })
    const stopFirst = new AbortController()
    const stopSecond = new AbortController()
    const started = Promise.withResolvers<void>()
    const first = runProgram(sandbox, misbehaving('line-then-spin'), [], {
      signal: stopFirst.signal,
      onOutput: () => {
        started.resolve()
      },
    })
    await started.promise
    const second = runProgram(sandbox, spin, [], { signal: stopSecond.signal })
    const third = runProgram(sandbox, echo, ['0', 'third'], { limits: { wallMs: 5000 } })
    stopSecond.abort()
    const cancelled = await second
    assert.equal(cancelled.reason, 'killed')
    assert.equal(cancelled.usage.wallMs, 0)
    stopFirst.abort()
    assert.equal((await first).reason, 'killed')
    assert.equal(textOf((await third).stdout), 'third\n')
  })

  test('a runner that dies: its tasks are start-failed, and the next task gets a new one', async () => {
    await using sandbox = await openTestWasm()
    const started = Promise.withResolvers<void>()
    const running = runProgram(sandbox, misbehaving('line-then-spin'), [], {
      onOutput: () => {
        started.resolve()
      },
    })
    await started.promise
    const runners = await descendants('runner/main')
    assert.ok(runners.length > 0)
    for (const { pid } of runners) process.kill(pid, 'SIGKILL')
    const result = await running
    assert.equal(result.reason, 'start-failed')
    assert.match(textOf(result.stdout), /^one/)
    assert.equal(sandbox.holds('programs.wasm'), false)
    const next = await runProgram(sandbox, echo, ['0', 'new', 'runner'])
    assert.equal(textOf(next.stdout), 'new runner\n')
  })

  test('a task that asks for more disk than a module may have is refused by name, not given less', async () => {
    await using small = await openTestWasm({ threads: 1, maxDiskBytes: 1 * MiB })
    assert.equal(small.maxDiskBytes, 1 * MiB)
    const asking = async (diskBytes: number) =>
      runProgram(small, echo, ['0'], { limits: { diskBytes } })
    assert.equal((await asking(1 * MiB)).reason, 'exit')
    const { reason, detail } = await asking(1 * MiB + 1)
    assert.equal(reason, 'start-failed')
    assert.match(detail, /1048576 bytes of disk/)
  })

  test('a sandbox that cannot start says so', async () => {
    await assert.rejects(openTestWasm({ isolations: [] }), { code: 'SANDBOX_UNAVAILABLE' })
    await assert.rejects(openTestWasm({ startTimeoutMs: 1 }), { code: 'SANDBOX_UNAVAILABLE' })
    assert.deepEqual(await descendants('runner/main'), [])
  })
})
