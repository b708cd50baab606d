import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withBranches } from '../../scripts/coverage/branches.ts'
import { readLcov } from '../../scripts/coverage/lcov.ts'

/** A node as the compiler writes it, for a condition that is in the source once. */
function choice(nodeType: string, source: string, condition: string, inside: object[] = []) {
  const start = Buffer.from(source).indexOf(condition)
  const src = `${start}:${Buffer.from(condition).length}:0`
  return { nodeType, condition: { nodeType: 'Identifier', src }, inside }
}

test('each condition gets a line for either answer, and no line of the source moves', () => {
  const source = '// é\nif (a > b) {\n  x = c ? 1 : 2;\n}\n'
  const ast = {
    nodes: [choice('IfStatement', source, 'a > b', [choice('Conditional', source, 'c')])],
  }
  const made = withBranches(source, ast, 'at')
  assert.ok(made.source.startsWith('// é\nif (at0(a > b)) {\n  x = at1(c) ? 1 : 2;\n}\n'))
  const lines = made.source.split('\n')
  assert.deepEqual(
    made.branches.map(({ line }) => line),
    [2, 3],
  )
  for (const { whenTrue, whenFalse } of made.branches) {
    assert.equal(lines[whenTrue - 1], 'return true;')
    assert.equal(lines[whenFalse - 1], 'return false;')
  }
})

test('of two conditions that begin at one place the longer one stays outside', () => {
  const source = 'if (a ? b : c) {}'
  const ast = choice('IfStatement', source, 'a ? b : c', [choice('Conditional', source, 'a')])
  assert.match(withBranches(source, ast, 'at').source, /^if \(at0\(at1\(a\) \? b : c\)\) \{\}\n/)
})

test('a loop without a condition has no branch', () => {
  assert.deepEqual(withBranches('for (;;) {}', { nodeType: 'ForStatement' }, 'at').branches, [])
})

test('hits of two runs add up by file and line', () => {
  const hits = readLcov('SF:a.sol\nDA:1,0\nDA:2,1\nend_of_record\nSF:a.sol\nDA:1,1\nDA:2,1\n')
  assert.deepEqual(
    [...(hits.get('a.sol') ?? [])],
    [
      [1, 1],
      [2, 2],
    ],
  )
})
