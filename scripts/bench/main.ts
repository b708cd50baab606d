/** `npm run bench`: what the network costs, in one run on this machine. docs/benchmarks.md explains each figure. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { HiveError } from '../../node/domain/errors.ts'
import { startLocalNetwork } from '../devnet/local-network.ts'
import { barText, brokenBars } from './bars.ts'
import { wasmCancelFigure } from './cancelling.ts'
import { computeFigures, sandboxRateFigure } from './compute.ts'
import { figure, type Figure } from './figures.ts'
import { gasFigures } from './gas.ts'
import { idleGossipFigure } from './idle-gossip.ts'
import { imageFigures } from './images.ts'
import { describeMachine } from './machine.ts'
import { machineFigures } from './machine-figures.ts'
import { placingFigures } from './placing.ts'
import { networkFigures, sandboxFigure, startFigures } from './sections.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const PROVIDERS = 3

const { values } = parseArgs({
  options: {
    keep: { type: 'boolean', default: false },
    enforce: { type: 'boolean', default: false },
  },
})
const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => stop.abort(new HiveError('CANCELLED', { signal })))

const dir = await mkdtemp(join(tmpdir(), 'hive-bench-'))
try {
  const figures = await measure(stop.signal)
  for (const each of figures) process.stdout.write(`${lineOf(each)}\n`)
  const failed = brokenBars(figures)
  if (failed.length > 0) process.stderr.write(`${failed.length} bars are not held\n`)
  if (values.enforce && failed.length > 0) process.exitCode = 1
  const measuredAt = new Date().toISOString()
  const report = `${JSON.stringify({ measuredAt, machine: describeMachine(), figures }, null, 2)}\n`
  await keep(`.bench/${measuredAt.replaceAll(':', '-')}.json`, report)
  if (values.keep) await keep('bench/reference.json', report)
} finally {
  await rm(dir, { recursive: true, force: true })
}

async function measure(signal: AbortSignal): Promise<readonly Figure[]> {
  const say = (what: string) => process.stderr.write(`${what} ...\n`)
  // before anything else has made the code hot
  const placing = placingFigures()
  say('the machine')
  const machine = await machineFigures(dir, signal)
  say('no-op through the sandbox alone')
  const alone = await sandboxFigure(signal)
  const rate = await sandboxRateFigure(signal)
  const stopped = await wasmCancelFigure()
  say('computations as WASM and natively')
  const compute = await computeFigures(signal)
  say('an idle network, simulated')
  const gossip = await idleGossipFigure()
  say('tasks in images')
  const images = await imageFigures(say, signal)
  say(`a network of ${PROVIDERS} providers and a requester`)
  await using network = await startLocalNetwork({
    dir,
    providers: PROVIDERS,
    requesters: 1,
    provider: () => ({ kinds: ['wasm'], resources: { cpu: 1, memory: '1GiB', disk: '1GiB' } }),
    signal,
  })
  say('jobs over the network')
  const jobs = await networkFigures(network, signal)
  say('gas')
  const gas = await gasFigures(network.rpc, network.contracts.escrow)
  say('starts')
  const starts = await startFigures(network, signal)
  const trip = jobs[0]?.value ?? NaN
  const ratio = figure('network over sandbox alone, p50', trip / alone.value, 'times', 1)
  return [
    ...machine,
    ...placing,
    ...starts,
    ...jobs,
    alone,
    rate,
    stopped,
    ratio,
    ...compute,
    ...images,
    gossip,
    ...gas,
  ]
}

async function keep(path: string, report: string): Promise<void> {
  const full = join(ROOT, path)
  await mkdir(join(full, '..'), { recursive: true })
  await writeFile(full, report)
  process.stdout.write(`kept in ${path}\n`)
}

function lineOf(each: Figure): string {
  const { name, value, unit, samples, load, note = '' } = each
  const number = value.toLocaleString('en', { maximumFractionDigits: 2 })
  return `${name.padEnd(52)} ${number.padStart(10)} ${unit.padEnd(8)} of ${String(samples).padStart(3)}, load ${load.toFixed(1)}  ${note} ${barText(each)}`.trimEnd()
}
