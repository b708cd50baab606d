/** `npm run check`: what every commit must pass, the quickest first. Stops at the first failure. */
import { globSync } from 'node:fs'
import { runGate, type Step } from './gate/step.ts'

/** The runner has no limit of its own: a test that hangs would hang the gate. */
const TEST_TIMEOUT_MS = 60_000
const SOURCES = ['ignition', 'node', 'scripts', 'test']
const unitTests = ['test/architecture.test.ts', ...globSync('test/unit/**/*.test.ts')]

/** Unit tests share one process here: starting one for each file takes longer than the tests. */
const steps: readonly Step[] = [
  { name: 'format', command: 'prettier', args: ['--check', '--cache', '--log-level=warn', '.'] },
  { name: 'lint, with types', command: 'oxlint', args: ['--type-aware', ...SOURCES] },
  { name: 'types', command: 'tsc', args: ['--noEmit'] },
  {
    name: 'lint of contracts',
    command: 'solhint',
    args: ['--noPoster', '--max-warnings', '0', 'contracts/**/*.sol'],
  },
  {
    name: 'layers and unit tests',
    command: process.execPath,
    args: [
      '--test',
      '--test-isolation=none',
      '--test-reporter=dot',
      `--test-timeout=${TEST_TIMEOUT_MS}`,
      ...unitTests,
    ],
  },
  { name: 'dead code', command: 'knip', args: [] },
  {
    name: 'error list is fresh',
    command: process.execPath,
    args: ['scripts/generate/errors-doc.ts', '--check'],
  },
]

const results = await runGate([steps], true)
process.exitCode = results.length === steps.length && results.every(({ ok }) => ok) ? 0 : 1
