import assert from 'node:assert/strict'
import { test } from 'node:test'
import { codeOf, HiveError } from '../../../node/domain/errors.ts'
import type { JobSpec } from '../../../node/domain/job-spec.ts'
import type { TaskResult } from '../../../node/domain/receipt.ts'
import { specOfStep, type StepMade } from '../../../node/domain/step-inputs.ts'
import { needsOf, workflowProblems, type StepPlan } from '../../../node/domain/workflow.ts'
import { SOME_CID } from '../../support/messages.ts'

const file = (path: string, size = 1) => ({ path, cid: SOME_CID, size })

function aSpec(changes: Partial<JobSpec> = {}): JobSpec {
  return {
    kind: 'wasm',
    image: file('/image'),
    args: [],
    env: {},
    files: [],
    outputs: '/out',
    resources: { cpuMillis: 1000, memoryBytes: 1, diskBytes: 1 },
    timeoutMs: 1000,
    stream: false,
    tasks: 1,
    inputs: [],
    ...changes,
  }
}

function aStep(name: string, changes: Partial<StepPlan> = {}): StepPlan {
  return { name, spec: aSpec(), needs: [], inputs: [], ...changes }
}

function aResult(index: number, ...paths: string[]): TaskResult {
  return {
    index,
    reason: 'exit',
    exitCode: 0,
    detail: '',
    stdout: file('/stdout', 10 + index),
    stderr: file('/stderr', 0),
    files: paths.map((path) => file(path, 100 + index)),
    usage: { wallMs: 1, cpuMs: 1, peakMemoryBytes: 1, bytesIn: 0, bytesOut: 0 },
  }
}

const pathsOf = (steps: readonly StepPlan[]) => workflowProblems(steps).map(({ path }) => path)
const from = (name: string, output: string, task?: number) => ({
  path: '/in/x',
  from: name,
  output,
  ...(task !== undefined && { task }),
})

test('workflow: steps in any order of the file, each once, are in order', () => {
  const steps = [
    aStep('last', { needs: ['first'], inputs: [from('middle', '/out/a')] }),
    aStep('middle', { inputs: [from('first', 'stdout')] }),
    aStep('first'),
  ]
  assert.deepEqual(pathsOf(steps), [])
  assert.deepEqual(needsOf(steps[0] ?? aStep('')), ['first', 'middle'])
})

test('workflow: a circle is named with its way, an unknown step with its place', () => {
  const circle = [
    aStep('a', { needs: ['c'] }),
    aStep('b', { inputs: [from('a', 'stdout')] }),
    aStep('c', { map: { from: 'b', output: '/out' } }),
  ]
  assert.deepEqual(workflowProblems(circle), [
    { path: 'steps.a', text: 'it needs itself: a → c → b → a' },
  ])
  assert.deepEqual(pathsOf([aStep('self', { needs: ['self'] })]), ['steps.self'])
  const unknown = aStep('a', { needs: ['x', 'y'], inputs: [from('z', 'stdout')] })
  assert.deepEqual(pathsOf([unknown]), [
    'steps.a.needs[0]',
    'steps.a.needs[1]',
    'steps.a.inputs./in/x.from',
  ])
})

test('workflow: an output that a step cannot make, and a task that it does not have', () => {
  const made = aStep('made', { spec: aSpec({ tasks: 3 }) })
  const with_ = (output: string, task?: number) => [
    made,
    aStep('user', { inputs: [from('made', output, task)] }),
  ]
  for (const output of ['/out', '/out/deep/file', 'stdout', 'stderr'])
    assert.deepEqual(pathsOf(with_(output)), [], output)
  for (const output of ['/outer', '/etc/passwd', '/', 'stdin', ''])
    assert.deepEqual(pathsOf(with_(output)), ['steps.user.inputs./in/x.path'], output)
  assert.deepEqual(pathsOf(with_('stdout', 2)), [])
  assert.deepEqual(pathsOf(with_('stdout', 3)), ['steps.user.inputs./in/x.task'])
  const taken = aStep('user', {
    spec: aSpec({ files: [file('/in/x')] }),
    inputs: [from('made', 'stdout')],
  })
  assert.deepEqual(pathsOf([made, taken]), ['steps.user.inputs./in/x'])
})

test('workflow: names of steps, none of them, two alike', () => {
  assert.deepEqual(pathsOf([]), ['steps'])
  assert.deepEqual(pathsOf([aStep('1st')]), ['steps.1st'])
  assert.deepEqual(pathsOf([aStep('a'), aStep('a')]), ['steps'])
})

test('step inputs: a single task’s file and folder, by what they are', () => {
  const made = new Map<string, StepMade>([
    ['a', { spec: aSpec(), results: [aResult(0, '/out/one', '/out/d/two')] }],
  ])
  const filesAt = (output: string) =>
    specOfStep(aStep('b', { inputs: [from('a', output)] }), made).files.map(({ path, size }) => [
      path,
      size,
    ])
  assert.deepEqual(filesAt('/out/one'), [['/in/x', 100]])
  assert.deepEqual(filesAt('stdout'), [['/in/x', 10]])
  assert.deepEqual(filesAt('/out'), [
    ['/in/x/one', 100],
    ['/in/x/d/two', 100],
  ])
})

test('step inputs: of all tasks of an array, under their names; of one task, right there', () => {
  const inputs = ['n.txt', 'm.txt'].map((name) => ({ name, files: [] }))
  const results = [aResult(0, '/out/f'), aResult(1, '/out/f')]
  const made = new Map<string, StepMade>([
    ['numbered', { spec: aSpec({ tasks: 2 }), results }],
    ['named', { spec: aSpec({ tasks: 2, inputs }), results }],
  ])
  const pathsAt = (name: string, output: string, task?: number) =>
    specOfStep(aStep('b', { inputs: [from(name, output, task)] }), made).files.map(
      ({ path }) => path,
    )
  assert.deepEqual(pathsAt('numbered', '/out/f'), ['/in/x/0', '/in/x/1'])
  assert.deepEqual(pathsAt('named', '/out'), ['/in/x/n.txt/f', '/in/x/m.txt/f'])
  assert.deepEqual(pathsAt('named', '/out/f', 1), ['/in/x'])
})

test('step inputs: mapped, one task a file, named after the task and the file', () => {
  const made = new Map<string, StepMade>([
    ['one', { spec: aSpec(), results: [aResult(0, '/out/a', '/out/d/b')] }],
    ['many', { spec: aSpec({ tasks: 2 }), results: [aResult(0, '/out/a'), aResult(1, '/out/a')] }],
  ])
  const named = (name: string, output: string) => {
    const spec = specOfStep(aStep('b', { map: { from: name, output } }), made)
    assert.equal(spec.tasks, spec.inputs.length)
    return spec.inputs.map((input) => [input.name, input.files[0]?.path])
  }
  assert.deepEqual(named('one', '/out'), [
    ['a', '/in/a'],
    ['d-b', '/in/d-b'],
  ])
  assert.deepEqual(named('one', '/out/a'), [['a', '/in/a']])
  assert.deepEqual(named('many', '/out/a'), [
    ['0', '/in/0'],
    ['1', '/in/1'],
  ])
  assert.deepEqual(named('many', '/out'), [
    ['0-a', '/in/0-a'],
    ['1-a', '/in/1-a'],
  ])
})

test('step inputs: an output that a task did not leave is named with its place in the workflow', () => {
  const made = new Map<string, StepMade>([
    ['a', { spec: aSpec({ tasks: 2 }), results: [aResult(0, '/out/f'), aResult(1)] }],
  ])
  const step = aStep('b', { inputs: [from('a', '/out/f')] })
  assert.throws(
    () => specOfStep(step, made),
    (error) => {
      assert.ok(error instanceof HiveError)
      assert.equal(codeOf(error), 'STEP_OUTPUT_MISSING')
      const path = 'steps.b.inputs./in/x'
      assert.deepEqual(error.data, { path, from: 'a', output: '/out/f', task: 1 })
      return true
    },
  )
})
