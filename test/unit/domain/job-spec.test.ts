import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  classOf,
  expand,
  filesOf,
  JOB_KINDS,
  type InputFile,
} from '../../../node/domain/job-spec.ts'
import { aSpec, SOME_CID } from '../../support/messages.ts'

const file = (path: string): InputFile => ({ path, cid: SOME_CID, size: 1 })
const spec = aSpec({
  tasks: 2,
  files: [file('/all')],
  inputs: [
    { name: 'a.png', files: [file('/in/a.png')] },
    { name: '{index}', files: [] },
  ],
})

test('placeholders take each task’s index, count and input', () => {
  assert.equal(expand('{index} of {count}: {input}', spec, 0), '0 of 2: a.png')
  assert.equal(expand('{index}{index}', spec, 1), '11')
})

test('an input’s name is text: what looks like a placeholder in it stays', () => {
  assert.equal(expand('{input}', spec, 1), '{index}')
})

test('other braces stay as they are; without inputs the input is empty', () => {
  assert.equal(expand('{Index} {} {{count}} ${x}', spec, 0), '{Index} {} {2} ${x}')
  assert.equal(expand('[{input}]', aSpec(), 0), '[]')
})

test('a task finds the job’s files and its own', () => {
  assert.deepEqual(
    filesOf(spec, 0).map(({ path }) => path),
    ['/all', '/in/a.png'],
  )
  assert.deepEqual(
    filesOf(spec, 1).map(({ path }) => path),
    ['/all'],
  )
})

test('the class of an offer is the kind of its job', () => {
  for (const kind of JOB_KINDS) assert.equal(classOf(aSpec({ kind })), kind)
})
