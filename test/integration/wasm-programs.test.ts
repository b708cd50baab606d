import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { after, before, describe, test } from 'node:test'
import { GiB, second } from '../../node/domain/units.ts'
import type { Sandbox } from '../../node/ports/sandbox.ts'
import { runProgram, textFile, textOf, type Program } from '../conformance/sandbox.ts'
import { openTestWasm } from '../support/wasm-sandboxes.ts'

const PANDOC = new URL('../../node_modules/pandoc-wasm/src/pandoc.wasm', import.meta.url)
const TRACER = new URL('../../jobs/path-tracer/tracer.wasm', import.meta.url)
const program = (file: URL): Program => ({
  image: { id: file.pathname, load: () => readFile(file) },
  args: [],
})
/** Processor time that the first run of a 58 MB program may take, compiling included, ms. */
const COLD_CPU_MS = 5 * second

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
