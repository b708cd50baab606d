/** `npm test`: everything — unit, contracts, integration, and whole networks of separate processes. */
import { globSync } from 'node:fs'
import { runGate, type Step } from './gate/step.ts'

/** The runner has no limit of its own: a test that hangs would hang the gate. */
const TEST_TIMEOUT_MS = 180_000
const RUNNER = ['--test', '--test-reporter=spec', `--test-timeout=${TEST_TIMEOUT_MS}`]

/** Tests that start processes share two cores badly: one file of those at a time. */
const processes = (name: string, files: readonly string[]): Step => ({
  name,
  command: process.execPath,
  args: [...RUNNER, '--test-concurrency=1', ...files.toSorted()],
})

/** Unit tests share one process: starting one for each file takes longer than the tests. */
const units = (files: readonly string[]): Step => ({
  name: 'layers and unit tests',
  command: process.execPath,
  args: [...RUNNER, '--test-isolation=none', ...files.toSorted()],
})

const hardhat = (name: string, ...args: string[]): Step => ({
  name,
  command: 'hardhat',
  args: ['test', ...args],
})

const script = (name: string, ...args: string[]): Step => ({
  name,
  command: process.execPath,
  args,
})

const generated = (file: string): Step =>
  script(`generated ${file} is fresh`, `scripts/generate/${file}.ts`, '--check')

/** Of the tests with processes, those that run strangers' programs, whose limits are measured: no two at a time. */
const isOfSandboxes = (file: string): boolean =>
  /integration\/(?:escape\/|attach|docker|egress|image|native|podman|secret|wasm)/.test(file)
const INTEGRATION = globSync('test/integration/**/*.test.ts')
const UNITS = ['test/architecture.test.ts', ...globSync('test/unit/**/*.test.ts')]

/**
 * Three lanes, since most of a lane's time is waiting, for chains and engines and clocks, and two cores are the least
 * there are: about as long as each other, and what computes beside what waits.
 */
const lanes: readonly (readonly Step[])[] = [
  [
    hardhat('contracts: fuzz and invariants', 'solidity'),
    hardhat(
      'contracts: gas snapshot',
      'solidity',
      'test/contracts/gas/Gas.t.sol',
      '--snapshot-check',
    ),
    hardhat('contracts: transitions', 'nodejs'),
    script('contracts: bugs of the drill can be planted', 'scripts/drill/main.ts', '--check'),
    generated('artifact'),
    generated('storage-layout'),
    generated('typed-data-vectors'),
    generated('jobs-tree-vectors'),
    script('contracts: fuzz and invariants in a second engine', 'scripts/forge/main.ts'),
    script('contracts: coverage', 'scripts/coverage/main.ts'),
    processes('whole networks', globSync('test/e2e/**/*.test.ts')),
  ],
  [processes('sandboxes', INTEGRATION.filter(isOfSandboxes))],
  [
    script('chaos: faults and what the market makes of them', 'scripts/chaos/main.ts'),
    processes(
      'peers, content and chain',
      INTEGRATION.filter((file) => !isOfSandboxes(file)),
    ),
    units(UNITS),
  ],
]

const results = await runGate(lanes, false)
const sum = (key: 'passed' | 'failed' | 'skipped') =>
  results.reduce((total, each) => total + each[key], 0)
const broken = results.filter(({ ok, failed }) => !ok && failed === 0).length
process.stdout.write(
  `\n${sum('passed')} passed, ${sum('failed') + broken} failed, ${sum('skipped')} skipped\n`,
)
process.exitCode = results.every(({ ok }) => ok) ? 0 : 1
