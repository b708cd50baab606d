import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { HiveError } from '../../../node/domain/errors.ts'
import { minute } from '../../../node/domain/units.ts'
import { readDocument } from '../../../node/cli/job/job-file.ts'
import {
  isWorkflow,
  readWorkflow,
  type WorkflowDraft,
} from '../../../node/cli/workflow/workflow-file.ts'

async function read(t: TestContext, text: string): Promise<WorkflowDraft> {
  const dir = await mkdtemp(join(tmpdir(), 'hive-workflow-'))
  t.after(() => rm(dir, { recursive: true }))
  await writeFile(join(dir, 'a.wasm'), '')
  await writeFile(join(dir, 'w.yaml'), text)
  const document = await readDocument('w.yaml', dir)
  assert.ok(document && isWorkflow(document))
  return readWorkflow(document)
}

/** The code of a refusal, and the paths that it names. */
async function refusal(t: TestContext, text: string): Promise<[string, string[]]> {
  try {
    await read(t, text)
  } catch (error) {
    assert.ok(error instanceof HiveError)
    const problems = error.data['problems'] as readonly string[]
    return [error.code, problems.map((line) => line.split(': ')[0] ?? '')]
  }
  throw new Error('it was read')
}

test('workflow file: steps are jobs with what they need, take and map over', async (t) => {
  const { steps, budget, totalMs } = await read(
    t,
    `
budget: '0.5'
timeout: 5m
steps:
  a: { module: a.wasm, tasks: 3, priority: high }
  b:
    module: a.wasm
    needs: [a]
    inputs:
      /in/all: { from: a, path: stdout, task: all }
      /in/one: { from: a, path: /out/x, task: 2 }
  c: { module: a.wasm, args: ['{input}'], map: { from: a, path: /out } }
`,
  )
  assert.deepEqual([budget, totalMs], [5n * 10n ** 17n, 5 * minute])
  const [a, b, c] = steps
  assert.deepEqual([a?.name, a?.job.tasks, a?.job.handling], ['a', 3, { priority: 8 }])
  assert.deepEqual(b?.needs, ['a'])
  assert.deepEqual(b.inputs, [
    { path: '/in/all', from: 'a', output: 'stdout' },
    { path: '/in/one', from: 'a', output: '/out/x', task: 2 },
  ])
  assert.deepEqual([c?.map, c?.job.stream], [{ from: 'a', output: '/out' }, false])
})

test('workflow file: mistakes of all steps are listed at once, with their paths', async (t) => {
  const text = `
budget: much
steps:
  a: { module: a.wasm, args: ['{input}'], timeout: long }
  b: { module: a.wasm, inputs: { /in/../x: { from: a, path: out } }, tasks: 2, map: { from: a, path: /out } }
  c: nothing
`
  assert.deepEqual(await refusal(t, text), [
    'SPEC_INVALID',
    [
      'budget',
      'steps.a.timeout',
      'steps.a.args[0]',
      'steps.b.inputs./in/../x',
      'steps.b.inputs./in/../x.path',
      'steps.b.tasks',
      'steps.c',
    ],
  ])
})

test('workflow file: a circle and an output that nobody makes are refused before anything is read', async (t) => {
  const circle = `
steps:
  a: { module: a.wasm, needs: [b] }
  b: { module: a.wasm, needs: [a], inputs: { /in/x: { from: a, path: /elsewhere } } }
`
  assert.deepEqual(await refusal(t, circle), [
    'SPEC_INVALID',
    ['steps.b.inputs./in/x.path', 'steps.a'],
  ])
})

test('workflow file: a program that is not there, and secrets', async (t) => {
  assert.deepEqual(await refusal(t, 'steps: { a: { module: b.wasm } }'), [
    'SPEC_FILE_MISSING',
    ['steps.a.module'],
  ])
  const secrets = 'steps: { a: { module: a.wasm, secrets: [{ name: T, env: T }] } }'
  assert.deepEqual(await refusal(t, secrets), ['SPEC_INVALID', ['steps.a.secrets']])
})
