import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type {
  RunOptions,
  Sandbox,
  SandboxFile,
  SandboxImage,
  SandboxResult,
  SandboxTask,
} from '../../node/ports/sandbox.ts'
import { outputFilesAreBounded } from './sandbox-files.ts'
import { outputIsBounded } from './sandbox-output.ts'
import { usageIsTold } from './sandbox-usage.ts'
import { HiveError } from '../../node/domain/errors.ts'
import { MiB } from '../../node/domain/units.ts'

/**
 * How soon a cancelled task has ended on a machine however busy, ms: well before it would by itself. The second that is
 * promised has its bar in scripts/bench/bars.ts.
 */
export const SOON_MS = 10_000

/** A program the adapter supplies: its image, and arguments to put before the suite's own. */
export interface Program {
  readonly image: SandboxImage
  readonly args: readonly string[]
}

/** The same eight behaviours on every engine. Each must flush what it prints at once. */
export interface Programs {
  /** `CODE WORDS…`: the words and a newline on stdout, `$GREETING` and a newline on stderr, exit CODE. */
  readonly echo: Program
  /** stdin to stdout. */
  readonly cat: Program
  /** `FROM TO`: copies one file. */
  readonly copy: Program
  /** Computes for ever and prints nothing. */
  readonly spin: Program
  /** Prints for ever. */
  readonly flood: Program
  /** Prints for ever, `o` on stdout and `e` on stderr in turn, each by itself. */
  readonly drip: Program
  /** Takes and touches memory until it is refused, then aborts. */
  readonly hog: Program
  /** `MS`: prints `before`, sleeps, prints `after`. */
  readonly sleep: Program
}

/** What a suite needs of one adapter. */
export interface SandboxUnderTest {
  readonly sandbox: Sandbox
  readonly programs: Programs
  /** What this sandbox still has on the machine: processes, containers, files. Asked after disposal. */
  readonly leftovers: () => Promise<readonly string[]>
}

type Run = Partial<Omit<SandboxTask, 'limits'>> & {
  readonly limits?: Partial<SandboxTask['limits']>
  readonly signal?: AbortSignal
  readonly onOutput?: NonNullable<RunOptions['onOutput']>
}

let tasks = 0

/** Runs `program` in `sandbox`; only what a test cares about need be given. */
export async function runProgram(
  sandbox: Sandbox,
  program: Program,
  args: readonly string[],
  run: Run = {},
): Promise<SandboxResult> {
  const { signal, onOutput, ...task } = run
  return await sandbox.run(aTask(program, args, task), {
    signal: signal ?? new AbortController().signal,
    ...(onOutput && { onOutput }),
  })
}

/** A task that runs `program`. */
export function aTask(
  program: Program,
  args: readonly string[],
  { limits, ...task }: Omit<Run, 'signal' | 'onOutput'> = {},
): SandboxTask {
  return {
    id: `conformance-${process.pid}-${++tasks}`,
    image: program.image,
    args: [...program.args, ...args],
    env: {},
    stdin: new Uint8Array(),
    files: [],
    outputs: '/out',
    ...task,
    limits: {
      cpuMillis: 1000,
      memoryBytes: 64 * MiB,
      diskBytes: 16 * MiB,
      wallMs: 30_000,
      outputBytes: 1 * MiB,
      ...limits,
    },
  }
}

/** Text of what a task printed. */
export function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes)
}

/** A file from its text. */
export function textFile(path: string, text: string): SandboxFile {
  return { path, bytes: new TextEncoder().encode(text) }
}

/** Every promise of the port, asked of one adapter. */
export function sandboxKeepsItsPromises(name: string, open: () => Promise<SandboxUnderTest>): void {
  describe(`${name} as a sandbox`, () => {
    let sandbox: Sandbox
    let programs: Programs
    let leftovers: SandboxUnderTest['leftovers']

    before(async () => {
      ;({ sandbox, programs, leftovers } = await open())
    })
    after(async () => {
      await sandbox[Symbol.asyncDispose]()
    })

    test('a program gets its arguments and environment; its streams and exit code come back apart', async () => {
      const result = await runProgram(sandbox, programs.echo, ['7', 'two', 'words {x}'], {
        env: { GREETING: 'hei på deg' },
      })
      assert.equal(result.reason, 'exit')
      assert.equal(result.exitCode, 7)
      assert.equal(result.detail, '')
      assert.equal(textOf(result.stdout), 'two words {x}\n')
      assert.equal(textOf(result.stderr), 'hei på deg\n')
      assert.deepEqual(result.files, [])
    })

    test('stdin arrives whole, binary and larger than any pipe', async () => {
      const stdin = Uint8Array.from({ length: 700_001 }, (_, at) => (at * 31) >> 3)
      const result = await runProgram(sandbox, programs.cat, [], { stdin })
      assert.equal(result.reason, 'exit')
      assert.equal(result.exitCode, 0)
      assert.deepEqual(Buffer.from(result.stdout), Buffer.from(stdin))
    })

    outputFilesAreBounded(async (from, to, run) =>
      runProgram(sandbox, programs.copy, [from, to], run),
    )

    test('secrets are found as variables and as files, also beside other inputs, and do not come back', async () => {
      const secrets = {
        env: { GREETING: 'swordfish-env' },
        files: [textFile('/run/secrets/key', 'swordfish-file'), textFile('/in/deep/er', 'side')],
      }
      const files = [textFile('/in/a.txt', 'plain')]
      const told = await runProgram(sandbox, programs.echo, ['0', 'x'], { secrets, files })
      assert.equal(textOf(told.stderr), 'swordfish-env\n')
      assert.deepEqual(told.files, [])
      for (const [path, text] of [
        ['/run/secrets/key', 'swordfish-file'],
        ['/in/deep/er', 'side'],
        ['/in/a.txt', 'plain'],
      ] as const) {
        const args = [path, '/out/copy']
        const found = await runProgram(sandbox, programs.copy, args, { secrets, files })
        assert.equal(found.exitCode, 0, textOf(found.stderr))
        assert.deepEqual(
          found.files.map((file) => [file.path, textOf(file.bytes)]),
          [['/out/copy', text]],
        )
      }
      const without = await runProgram(sandbox, programs.copy, ['/run/secrets/key', '/out/copy'])
      assert.notEqual(without.exitCode, 0)
    })

    test('output is heard while the program still runs, and cancelling ends it long before it would end', async () => {
      const stop = new AbortController()
      const heard: string[] = []
      let cancelledAt = 0
      const result = await runProgram(sandbox, programs.sleep, ['20000'], {
        signal: stop.signal,
        onOutput: (stream, chunk) => {
          heard.push(`${stream}:${textOf(chunk)}`)
          cancelledAt = performance.now()
          stop.abort()
        },
      })
      assert.ok(performance.now() - cancelledAt < SOON_MS)
      assert.equal(result.reason, 'killed')
      assert.equal(result.exitCode, -1)
      assert.deepEqual(heard, ['1:before\n'])
      assert.equal(textOf(result.stdout), 'before\n')
    })

    test('an endless loop is cancelled, and the next run works', async () => {
      const stop = new AbortController()
      const running = runProgram(sandbox, programs.spin, [], { signal: stop.signal })
      const cancelled = performance.now()
      stop.abort()
      const result = await running
      assert.ok(performance.now() - cancelled < SOON_MS)
      assert.equal(result.reason, 'killed')
      const next = await runProgram(sandbox, programs.echo, ['0', 'still', 'here'])
      assert.equal(textOf(next.stdout), 'still here\n')
    })

    usageIsTold(() => ({ sandbox, task: aTask(programs.spin, []) }))

    test('a signal aborted beforehand: nothing is loaded and nothing starts', async () => {
      let loads = 0
      const image = {
        id: 'never-loaded',
        load: async () => {
          loads++
          return await programs.echo.image.load()
        },
      }
      const result = await runProgram(sandbox, { image, args: [] }, [], {
        signal: AbortSignal.abort(),
      })
      assert.equal(result.reason, 'killed')
      assert.equal(loads, 0)
      assert.equal(sandbox.holds('never-loaded'), false)
    })

    test('wall time is a limit, and the time used is accounted', async () => {
      const result = await runProgram(sandbox, programs.spin, [], { limits: { wallMs: 600 } })
      assert.equal(result.reason, 'timeout')
      assert.equal(result.exitCode, -1)
      assert.notEqual(result.detail, '')
      assert.ok(result.usage.wallMs >= 590, `wall ${result.usage.wallMs} ms`)
      assert.ok(result.usage.wallMs < 5000, `wall ${result.usage.wallMs} ms`)
      // A machine busy with other things gives a loop only a part of its time.
      assert.ok(result.usage.cpuMs > 20, `cpu ${result.usage.cpuMs} ms`)
      assert.ok(result.usage.cpuMs < 2 * result.usage.wallMs, `cpu ${result.usage.cpuMs} ms`)
    })

    test('sleeping takes wall time and hardly any processor time', async () => {
      const result = await runProgram(sandbox, programs.sleep, ['400'])
      assert.equal(textOf(result.stdout), 'before\nafter\n')
      assert.ok(result.usage.wallMs >= 390, `wall ${result.usage.wallMs} ms`)
      assert.ok(result.usage.cpuMs < 300, `cpu ${result.usage.cpuMs} ms`)
    })

    outputIsBounded(async (program, run) => runProgram(sandbox, programs[program], [], run))

    test('memory is a limit', async () => {
      const result = await runProgram(sandbox, programs.hog, [], {
        limits: { memoryBytes: 32 * MiB },
      })
      assert.equal(result.reason, 'oom', result.detail)
      assert.equal(result.exitCode, -1)
      assert.ok(result.usage.peakMemoryBytes > 16 * MiB, `${result.usage.peakMemoryBytes} B`)
      assert.ok(result.usage.peakMemoryBytes <= 33 * MiB, `${result.usage.peakMemoryBytes} B`)
    })

    test('a program that ends by itself as a killed one does has ended by itself', async () => {
      const { reason, exitCode } = await runProgram(sandbox, programs.echo, ['137'])
      assert.deepEqual([reason, exitCode], ['exit', 137])
    })

    test('usage counts bytes in (files and stdin) and out (streams and files)', async () => {
      const result = await runProgram(sandbox, programs.copy, ['/in/a.txt', '/out/b.txt'], {
        files: [textFile('/in/a.txt', '12345')],
        stdin: new Uint8Array(10),
      })
      assert.equal(result.usage.bytesIn, 15)
      assert.equal(result.usage.bytesOut, 5)
      assert.ok(result.usage.peakMemoryBytes > 0)
      assert.ok(result.usage.cpuMs >= 0)
    })

    test('an image of garbage is image-bad, each time it is tried', async () => {
      const image = { id: 'garbage', load: async () => new Uint8Array(1000).fill(0x5a) }
      for (const attempt of ['first', 'second']) {
        const result = await runProgram(sandbox, { image, args: [] }, [])
        assert.equal(result.reason, 'image-bad', attempt)
        assert.notEqual(result.detail, '')
        assert.equal(sandbox.holds('garbage'), false)
      }
    })

    test('an image whose bytes cannot be had is start-failed', async () => {
      const image = { id: 'lost', load: () => Promise.reject(new Error('no such block')) }
      const result = await runProgram(sandbox, { image, args: [] }, [])
      assert.equal(result.reason, 'start-failed')
      assert.equal(sandbox.holds('lost'), false)
    })

    test('an image is held after its first run and is not loaded again', async () => {
      let loads = 0
      const { image, args } = programs.cat
      const counted = {
        id: image.id,
        load: async () => {
          loads++
          return await image.load()
        },
      }
      await runProgram(sandbox, { image: counted, args }, [])
      assert.equal(sandbox.holds(image.id), true)
      const before = loads
      await Promise.all([1, 2, 3].map(() => runProgram(sandbox, { image: counted, args }, [])))
      assert.equal(loads, before)
      assert.equal(sandbox.holds('some other id'), false)
    })

    test('an image that was refused as it was fetched is image-bad', async () => {
      const image = { id: 'refused', load: () => Promise.reject(new HiveError('IMAGE_INVALID')) }
      const { reason } = await runProgram(sandbox, { image, args: [] }, [])
      assert.equal(reason, 'image-bad')
    })

    test('an image made ready is held, and a run does not ask for it', async () => {
      if (sandbox.prepare === undefined) return
      const { image, args } = programs.copy
      const { signal } = new AbortController()
      await sandbox.prepare({ ...image, id: 'prepared' }, { signal })
      assert.equal(sandbox.holds('prepared'), true)
      const load = () => Promise.reject(new Error('asked for'))
      const run = { files: [textFile('/in/a.txt', 'a')] }
      const program = { image: { id: 'prepared', load }, args }
      const result = await runProgram(sandbox, program, ['/in/a.txt', '/out/b.txt'], run)
      assert.equal(result.reason, 'exit')
    })

    test('making an image ready ends with its signal, and tells why it cannot be done', async () => {
      if (sandbox.prepare === undefined) return
      const { signal } = new AbortController()
      const prepare = async (load: SandboxImage['load'], until = signal) =>
        sandbox.prepare?.({ id: 'unready', load }, { signal: until })
      const garbage = new Uint8Array(1000).fill(0x5a)
      await assert.rejects(
        prepare(async () => garbage),
        { code: 'IMAGE_INVALID' },
      )
      await assert.rejects(
        prepare(() => Promise.reject(new Error('no such block'))),
        { code: 'TASK_START_FAILED' },
      )
      const stop = new AbortController()
      const waiting = prepare(
        async () =>
          new Promise((_, reject) => {
            stop.signal.addEventListener('abort', () => reject(new Error('stopped')))
          }),
        stop.signal,
      )
      stop.abort()
      await assert.rejects(waiting, ({ code }) => ['CANCELLED', 'TASK_START_FAILED'].includes(code))
      assert.equal(sandbox.holds('unready'), false)
    })

    test('runs side by side do not mix', async () => {
      const inputs = Array.from({ length: 6 }, (_, at) => String(at).repeat(50_000))
      const results = await Promise.all(
        inputs.map((text) =>
          runProgram(sandbox, programs.cat, [], { stdin: new TextEncoder().encode(text) }),
        ),
      )
      assert.deepEqual(
        results.map((result) => textOf(result.stdout)),
        inputs,
      )
    })

    test('one run sees nothing of the run before it', async () => {
      await runProgram(sandbox, programs.copy, ['/in/a.txt', '/out/left.txt'], {
        files: [textFile('/in/a.txt', 'secret')],
      })
      const result = await runProgram(sandbox, programs.copy, ['/out/left.txt', '/out/found.txt'])
      assert.equal(result.reason, 'exit')
      assert.notEqual(result.exitCode, 0)
      assert.deepEqual(result.files, [])
    })

    test('a task with destinations is start-failed where there is no way to them', async () => {
      const run = { egress: ['site.example:443'] }
      assert.equal((await runProgram(sandbox, programs.echo, ['0'], run)).reason, 'start-failed')
    })

    // Last, because nothing runs after it.
    test('disposal ends what runs, refuses what comes after and leaves nothing behind', async () => {
      const running = runProgram(sandbox, programs.spin, [])
      await sandbox[Symbol.asyncDispose]()
      assert.equal((await running).reason, 'killed')
      await assert.rejects(runProgram(sandbox, programs.echo, ['0']), {
        code: 'SANDBOX_UNAVAILABLE',
      })
      assert.deepEqual(await leftovers(), [])
    })
  })
}
