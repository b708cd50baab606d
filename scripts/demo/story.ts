import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { BundleBody } from '../../node/api/schemas/bundle.ts'
import type { JobBody } from '../../node/api/schemas/jobs.ts'
import type { PeerBody } from '../../node/api/schemas/node.ts'
import { NodeClient } from '../../node/cli/node-client.ts'
import { systemClock } from '../../node/adapters/system/system-clock.ts'
import { HiveError } from '../../node/domain/errors.ts'
import { short } from '../../node/domain/ids.ts'
import { formatAmount } from '../../node/domain/money.ts'
import { formatBytes, MiB, second } from '../../node/domain/units.ts'
import { startLocalNetwork, type LocalNetwork, type LocalNode } from '../devnet/local-network.ts'
import { buildBusyboxImage } from '../images/busybox.ts'
import { resultsOf, runJob, type DemoJob } from './job.ts'
import { encodePng, joinTiles } from './picture.ts'
import { provenShares, readSettlement, readSolvency } from './settlement.ts'
import type { Screen } from './screen.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const PROVIDERS = 3
const TILES = 24
const PICTURE = [
  '--width',
  '720',
  '--height',
  '480',
  '--samples',
  '32',
  '--tiles',
  String(TILES),
  '--tile',
  '{index}',
]
/** How long nodes may take to know each other, ms. */
const MEETING_MS = 30 * second

/** Everything the demo shows, in order. Throws the first failure; every process has ended by then. */
export async function tellStory(screen: Screen, dir: string, signal: AbortSignal): Promise<void> {
  screen.title('A network on this machine')
  const onStep = (step: string) => screen.step(step)
  await using network = await startLocalNetwork({
    dir,
    providers: PROVIDERS,
    requesters: 1,
    provider: (number) => ({
      prices: { perTask: `0.00${number + 2}` },
      resources: { cpu: 1, memory: '1GiB', disk: '1GiB' },
    }),
    signal,
    onStep,
  })
  const requester = network.requesters[0]
  if (requester === undefined) throw new HiveError('INTERNAL', { reason: 'no requester' })
  const client = await NodeClient.open(requester.dir, fetch)
  const name = nameOf(network)
  await everyoneMet(network, signal)
  screen.step(`${PROVIDERS} providers and a requester know each other`)

  const out = join(ROOT, 'out')
  await mkdir(out, { recursive: true })
  const jobs: JobBody[] = []
  const run = async (title: string, job: DemoJob) => {
    screen.title(title)
    const began = screen.seconds
    const body = await runJob(client, job, signal, (done, byProvider) => {
      const shares = [...byProvider]
        .map(([provider, count]) => `${name(provider)} ${count}`)
        .join(', ')
      screen.live(`${done}/${job.tasks ?? 1} tasks: ${shares}`)
    })
    const by = [...new Set(body.shares.map(({ provider }) => name(provider)))].join(', ')
    screen.step(`job ${short(body.id)} done by ${by} in ${(screen.seconds - began).toFixed(1)} s`)
    jobs.push(body)
    return body
  }

  const html = join(out, 'README.html')
  const document = await run('A published program: pandoc turns README.md into HTML', {
    kind: 'wasm',
    program: {
      name: 'pandoc.wasm',
      bytes: await readFile(join(ROOT, 'node_modules/pandoc-wasm/src/pandoc.wasm')),
    },
    args: ['-f', 'gfm', '-t', 'html', '--standalone', '--metadata', 'title=ComputeHive'],
    stdin: await readFile(join(ROOT, 'README.md')),
    memoryBytes: 512 * MiB,
  })
  await writeFile(html, await download(client, document, 0, signal))

  const png = join(out, 'hive.png')
  const picture = await run(
    `An array job: one picture in ${TILES} tiles over ${PROVIDERS} providers`,
    {
      kind: 'wasm',
      program: {
        name: 'tracer.wasm',
        bytes: await readFile(join(ROOT, 'jobs/path-tracer/tracer.wasm')),
      },
      args: PICTURE,
      tasks: TILES,
    },
  )
  const tiles = await Promise.all(
    resultsOf(picture).map(async ({ index }) => download(client, picture, index, signal)),
  )
  await writeFile(png, encodePng(joinTiles(tiles)))

  if (network.providers.some(({ kinds }) => kinds.includes('docker'))) {
    const container = await run('A Docker job: its image travels as IPFS content', {
      kind: 'docker',
      program: { name: 'busybox.tar', bytes: await buildBusyboxImage() },
      args: ['sh', '-c', 'echo "user $(id -u), kernel $(uname -r)"; ip -o link | wc -l'],
    })
    const said = new TextDecoder().decode(await download(client, container, 0, signal))
    screen.step(`the container says: ${said.trim().replaceAll('\n', ', network links: ')}`)
  } else {
    screen.title('A Docker job')
    screen.step('left out: no Docker engine answers on this machine (docs/operations/provider.md)')
  }

  await tellSettlement(screen, network, client, jobs, signal)
  screen.title('Results')
  screen.line(`  ${html}\n  ${png}`)
  screen.line(`\nDone in ${screen.seconds.toFixed(1)} s.`)
}

async function tellSettlement(
  screen: Screen,
  { rpc, contracts, requesters, providers }: LocalNetwork,
  client: NodeClient,
  jobs: readonly JobBody[],
  signal: AbortSignal,
): Promise<void> {
  const requester = requesters[0]
  if (requester === undefined) return
  const name = (address: string) =>
    providers.find((each) => each.address === address)?.name ?? short(address)
  screen.title(
    `Settlement, read from chain ${contracts.chainId} alone (contract ${contracts.escrow})`,
  )
  const promised = jobs.reduce((sum, job) => sum + BigInt(job.paid), 0n)
  const stories = await readSettlement(rpc, contracts.escrow, requester.address, promised, signal)
  const rows = [['who', 'for job', 'paid', 'proof']]
  let proven = 0n
  for (const job of jobs) {
    const bundle = await client.get<BundleBody>(`/v1/jobs/${job.id}/bundle`, { signal })
    for (const { provider, amount } of provenShares(bundle, stories)) {
      proven += amount
      rows.push([
        name(provider),
        short(job.id),
        formatAmount(amount),
        'under the claim’s Merkle root',
      ])
    }
  }
  screen.table(rows)
  screen.line('')
  screen.table([
    ['channel', 'provider', 'deposit', 'bond', 'paid', 'fee', 'received'],
    ...stories.map((each) => [
      short(each.id),
      name(each.provider),
      ...[each.deposit, each.bond, each.paid, each.fee, each.paid - each.fee].map(formatAmount),
    ]),
  ])
  const paid = stories.reduce((sum, each) => sum + each.paid, 0n)
  const fee = stories.reduce((sum, each) => sum + each.fee, 0n)
  const { liabilities, tokens } = await readSolvency(rpc, contracts.escrow)
  screen.line('')
  screen.line(
    `        requester paid ${formatAmount(paid)} = providers received ${formatAmount(paid - fee)} + platform fee ${formatAmount(fee)}`,
  )
  screen.line(
    `        shares proven under claims ${formatAmount(proven)} = vouchers signed ${formatAmount(promised)}`,
  )
  screen.line(
    `        tokens in the contract ${formatAmount(tokens)} = owed to accounts and channels ${formatAmount(liabilities)}`,
  )
  if (proven !== paid || promised !== paid || tokens !== liabilities) {
    throw new HiveError('CHAIN_ANSWER_INVALID', { paid, proven, promised, tokens, liabilities })
  }
}

/** Resolves once every node sees every other. */
async function everyoneMet(
  { requesters, providers }: LocalNetwork,
  signal: AbortSignal,
): Promise<void> {
  const nodes = [...requesters, ...providers]
  const patience = AbortSignal.any([signal, AbortSignal.timeout(MEETING_MS)])
  for (const node of nodes) {
    const client = await NodeClient.open(node.dir, fetch)
    while ((await knownPeers(client, patience)) < nodes.length - 1)
      await systemClock.sleep(100, patience)
  }
}

async function knownPeers(client: NodeClient, signal: AbortSignal): Promise<number> {
  const { peers } = await client.get<{ readonly peers: readonly PeerBody[] }>('/v1/peers', {
    signal,
  })
  return peers.filter(({ kinds }) => kinds !== undefined).length
}

async function download(
  client: NodeClient,
  job: JobBody,
  task: number,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const result = job.results[task]
  if (result === undefined || result === null)
    throw new HiveError('RESULT_UNAVAILABLE', { job: job.id, task })
  const bytes = await client.download(result.stdout.cid, { signal })
  if (bytes.byteLength === 0)
    throw new HiveError('RESULT_UNAVAILABLE', { job: job.id, task, size: formatBytes(0) })
  return bytes
}

function nameOf({ providers }: LocalNetwork): (address: string) => string {
  const names = new Map(providers.map((each: LocalNode) => [each.address as string, each.name]))
  return (address) => names.get(address) ?? short(address)
}
