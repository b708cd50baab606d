import { systemClock } from '../../node/adapters/system/system-clock.ts'
import { openWasmSandbox } from '../../node/adapters/wasm/wasm-sandbox.ts'
import type { WalletBody } from '../../node/api/schemas/money.ts'
import { NodeClient } from '../../node/cli/node-client.ts'
import { HiveError } from '../../node/domain/errors.ts'
import { parseAmount } from '../../node/domain/money.ts'
import { MiB, second } from '../../node/domain/units.ts'
import type { LocalNetwork, LocalNode } from '../devnet/local-network.ts'
import { figure, MB, median, percentile, timed, timedEach, type Figure } from './figures.ts'
import { bytesSent, residentBytes } from './machine.ts'
import { NO_OP_LIMITS, NO_OP_MODULE, NoOpJobs } from './no-op.ts'
import { SILENT } from './silent.ts'

const STARTS = 5
const WARM_UPS = 10
const ROUND_TRIPS = 100
const ARRAY_TASKS = 1000
const ARRAYS = 3
/** How long the network is watched without a job, so that its own talk can be taken off, ms. */
const QUIET_MS = 5 * second

/** From the spawn of a process on an existing folder to its API and its peers being served. */
export async function startFigures(network: LocalNetwork, signal: AbortSignal): Promise<Figure[]> {
  const figures: Figure[] = []
  for (const node of [network.providers.at(-1), network.requesters[0]]) {
    if (node === undefined) throw new HiveError('INTERNAL', { reason: 'no such node' })
    let current: LocalNode = node
    const times: number[] = []
    for (let at = 0; at < STARTS; at++) {
      await current.child[Symbol.asyncDispose]()
      times.push(await timed(async () => (current = await network.restart(current, signal))))
    }
    figures.push(figure(`start of a ${node.role}, median`, median(times), 'ms', STARTS))
  }
  return figures
}

/** The same no-op through the sandbox port alone. */
export async function sandboxFigure(signal: AbortSignal): Promise<Figure> {
  await using sandbox = await openWasmSandbox({ logger: SILENT }, { threads: 1 })
  const { timeoutMs, ...limits } = NO_OP_LIMITS
  const task = {
    id: 'no-op',
    image: { id: 'no-op', load: async () => NO_OP_MODULE },
    args: [],
    env: {},
    stdin: new Uint8Array(),
    files: [],
    outputs: '/out',
    limits: { ...limits, wallMs: timeoutMs, outputBytes: 1 * MiB },
  }
  await timedEach(WARM_UPS, async () => sandbox.run(task, { signal }))
  const times = await timedEach(ROUND_TRIPS, async () => sandbox.run(task, { signal }))
  return figure('no-op through the sandbox alone, p50', median(times), 'ms', ROUND_TRIPS)
}

/** Round trips, an array, bytes and memory, on one warm network. */
export async function networkFigures(
  network: LocalNetwork,
  signal: AbortSignal,
): Promise<Figure[]> {
  const [requester] = network.requesters
  if (requester === undefined) throw new HiveError('INTERNAL', { reason: 'no requester' })
  const nodes = [requester, ...network.providers]
  const client = await NodeClient.open(requester.dir, fetch)
  const jobs = await NoOpJobs.prepare(client)
  const idle = await memoryFigures(requester, network.providers[0], 'idle')
  await timedEach(WARM_UPS, async () => jobs.run(1, signal))

  const ports = nodes.flatMap(({ addresses }) => addresses.map(portOf))
  const quietFrom = await bytesSent(ports)
  await systemClock.sleep(QUIET_MS, signal)
  const from = await bytesSent(ports)
  const began = performance.now()
  const trips = await timedEach(ROUND_TRIPS, async () => jobs.run(1, signal))
  const tookMs = performance.now() - began
  const to = await bytesSent(ports)
  const figures = [
    figure('no-op job, submit to verified result, p50', median(trips), 'ms', ROUND_TRIPS),
    figure('no-op job, submit to verified result, p99', percentile(trips, 0.99), 'ms', ROUND_TRIPS),
  ]
  if (quietFrom !== undefined && from !== undefined && to !== undefined) {
    const talk = ((from - quietFrom) / QUIET_MS) * tookMs
    const perJob = (to - from - talk) / ROUND_TRIPS
    figures.push(figure('bytes between peers per no-op job', perJob, 'bytes', ROUND_TRIPS))
  }
  const arrays = await timedEach(ARRAYS, async () => jobs.run(ARRAY_TASKS, signal))
  const rate = ARRAY_TASKS / (median(arrays) / second)
  figures.push(
    figure(
      `array of ${ARRAY_TASKS} no-op tasks over ${network.providers.length} providers`,
      rate,
      'tasks/s',
      ARRAYS,
    ),
  )
  await callTheRest(client)
  return [...figures, ...idle, ...(await memoryFigures(requester, network.providers[0], 'after'))]
}

async function memoryFigures(
  requester: LocalNode,
  provider: LocalNode | undefined,
  when: string,
): Promise<Figure[]> {
  const figures: Figure[] = []
  for (const node of [requester, provider]) {
    const pid = node?.child.process.pid
    if (node === undefined || pid === undefined) continue
    const { own, children } = await residentBytes(pid)
    figures.push(figure(`memory of the ${node.role}, ${when}`, own / MB, 'MB', 1))
    if (children > 0)
      figures.push(figure(`memory of its WASM runner, ${when}`, children / MB, 'MB', 1))
  }
  return figures
}

/** Contract calls that no job makes, so that their gas is on the chain too. */
async function callTheRest(client: NodeClient): Promise<void> {
  await client.post('/v1/wallet/withdraw', { amount: parseAmount('1').toString() })
  const { channels } = await client.get<WalletBody>('/v1/wallet')
  const channel = channels[0]?.id
  if (channel !== undefined) await client.post(`/v1/channels/${channel}/close`, undefined)
}

function portOf(address: string): number {
  return Number(/\/tcp\/(\d+)/.exec(address)?.[1] ?? 0)
}
