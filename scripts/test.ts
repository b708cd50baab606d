/** `npm test`: everything — unit, contracts, integration, and whole networks of separate processes. */
import { globSync } from 'node:fs'
import { runGate, type Step } from './gate/step.ts'

/** The runner has no limit of its own: a test that hangs would hang the gate. */
const TEST_TIMEOUT_MS = 180_000

/** Whole networks of processes share two cores badly: one file of those at a time. */
const node = (name: string, concurrency: number, ...patterns: string[]): Step => ({
  name,
  command: process.execPath,
  args: [
    '--test',
    '--test-reporter=spec',
    `--test-concurrency=${concurrency}`,
    `--test-timeout=${TEST_TIMEOUT_MS}`,
    ...globSync(patterns).sort(),
  ],
})

/** Unit tests share one process: starting one for each file takes longer than the tests. */
const inOne = (name: string, files: readonly string[]): Step => ({
  name,
  command: process.execPath,
  args: [
    '--test',
    '--test-isolation=none',
    '--test-reporter=spec',
    `--test-timeout=${TEST_TIMEOUT_MS}`,
    ...files,
  ],
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

/** For what works in folders of its own: long stretches of the steps after it use one core or none. */
const beside = (step: Step): Step => ({ ...step, isBeside: true })

const generated = (file: string): Step =>
  script(`generated ${file} is fresh`, `scripts/generate/${file}.ts`, '--check')

/** Of the tests with processes, those that run strangers' programs, whose limits are measured: no two at a time. */
const isOfSandboxes = (file: string): boolean =>
  /integration\/(?:escape\/|attach|docker|egress|image|native|podman|secret|wasm)/.test(file)
const UNITS = ['test/architecture.test.ts', ...globSync('test/unit/**/*.test.ts').sort()]
const isOfServices = (file: string): boolean => /^test\/unit\/(?:services|sim)\//.test(file)
const SERVICES = UNITS.filter(isOfServices)
const OTHERS = UNITS.filter((file) => !isOfServices(file))
const PROCESSES = globSync(['test/integration/**/*.test.ts', 'test/e2e/**/*.test.ts'])
const SANDBOXES = PROCESSES.filter(isOfSandboxes)
const NETWORKS = PROCESSES.filter((file) => !isOfSandboxes(file))

const steps: readonly Step[] = [
  // Faults take the time they take, whatever runs beside them.
  beside(script('chaos: faults and what the market makes of them', 'scripts/chaos/main.ts')),
  hardhat('contracts: fuzz and invariants', 'solidity'),
  beside(script('contracts: fuzz and invariants in a second engine', 'scripts/forge/main.ts')),
  hardhat(
    'contracts: gas snapshot',
    'solidity',
    'test/contracts/gas/Gas.t.sol',
    '--snapshot-check',
  ),
  hardhat('contracts: transitions', 'nodejs'),
  beside(script('contracts: coverage', 'scripts/coverage/main.ts')),
  script('contracts: bugs of the drill can be planted', 'scripts/drill/main.ts', '--check'),
  generated('artifact'),
  generated('storage-layout'),
  generated('typed-data-vectors'),
  generated('jobs-tree-vectors'),
  // mostly waiting, for chains and for clocks, as engines do below
  beside(node('networks, chain and end to end', 1, ...NETWORKS)),
  beside(inOne('layers and other unit tests', OTHERS)),
  inOne('unit tests of services and the simulator', SERVICES),
  node('sandboxes', 1, ...SANDBOXES),
]

const results = await runGate(steps, false)
const sum = (key: 'passed' | 'failed' | 'skipped') =>
  results.reduce((total, each) => total + each[key], 0)
const broken = results.filter(({ ok, failed }) => !ok && failed === 0).length
process.stdout.write(
  `\n${sum('passed')} passed, ${sum('failed') + broken} failed, ${sum('skipped')} skipped\n`,
)
process.exitCode = results.every(({ ok }) => ok) ? 0 : 1
