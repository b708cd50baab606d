import { randomBytes } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openChainEscrow } from '../../node/adapters/chain/chain-escrow.ts'
import { deployDevnet, type DevnetContracts } from '../../node/adapters/chain/deploy.ts'
import { systemClock } from '../../node/adapters/system/system-clock.ts'
import { CONFIG_FILE } from '../../node/config/config-file.ts'
import type { InitialConfig } from '../../node/config/initial-file.ts'
import type { Address, PeerId } from '../../node/domain/ids.ts'
import { parseAmount } from '../../node/domain/money.ts'
import { createNodeFolder } from '../../node/node-folder.ts'
import { startChain } from './chain.ts'
import { bundled } from '../bundle/bundle.ts'
import { LEAN_ENV, LEAN_FLAGS, startChild, type Child } from './child.ts'

/** What a local network is made of. */
export interface LocalNetworkOptions {
  /** Where everything lives: a folder for each node, the chain's log. */
  readonly dir: string
  readonly providers: number
  readonly requesters: number
  /** Provider settings on top of the devnet's own, by its number from 0. */
  readonly provider?: (number: number) => NonNullable<InitialConfig['provider']>
  /** How long requesters wait for a provider that is silent. @default LOST_AFTER */
  readonly lostAfter?: string
  /** What a node is made with, from what it would be made with; called before its folder `dir` is. */
  readonly change?: (name: string, initial: InitialConfig, dir: string) => Promise<InitialConfig>
  /** Of Node itself, for each node. @default LEAN_FLAGS */
  readonly nodeFlags?: readonly string[]
  /** What starts a node’s process, by its name: see ChildOptions. @default nothing */
  readonly through?: (name: string) => readonly string[]
  readonly signal: AbortSignal
  /** Called with what happens, in words. */
  readonly onStep?: (step: string) => void
}

/** One node of a local network, running in a process of its own. */
export interface LocalNode {
  readonly name: string
  readonly dir: string
  readonly passphraseFile: string
  readonly role: 'provider' | 'requester'
  readonly peer: PeerId
  readonly address: Address
  readonly addresses: readonly string[]
  readonly kinds: readonly string[]
  readonly child: Child<NodeReady>
}

/** What a node process says when it serves. */
export interface NodeReady {
  readonly peer: PeerId
  readonly address: Address
  readonly addresses: readonly string[]
  readonly kinds: readonly string[]
}

/** A chain with the contract, and nodes that know each other. Disposal ends every process. */
export interface LocalNetwork extends AsyncDisposable {
  readonly rpc: string
  readonly contracts: DevnetContracts
  readonly requesters: readonly LocalNode[]
  readonly providers: readonly LocalNode[]
  /** Starts the process of a node again after it was killed. */
  restart(node: LocalNode, signal: AbortSignal): Promise<LocalNode>
}

/** Platform fee of a devnet, basis points. */
const FEE_BPS = 250
/** What each node gets outside the escrow, and how much of it goes in at once. */
const PURSE = parseAmount('1000')
const DEPOSIT = parseAmount('100')
/** Short: nobody on loopback is slow. */
const LOST_AFTER = '3s'
const ANY_PORT = '/ip4/127.0.0.1/tcp/0'

/** Starts a network on loopback. Throws what any part of it throws; then nothing is left running. */
export async function startLocalNetwork(options: LocalNetworkOptions): Promise<LocalNetwork> {
  const { dir, signal, onStep = () => {} } = options
  await using stack = new AsyncDisposableStack()
  await mkdir(dir, { recursive: true })
  onStep('starting a chain')
  const chain = stack.use(await startChain(dir, signal))
  const rpc = chain.ready.url
  onStep('deploying ComputeEscrow')
  const contracts = stack.use(await deployDevnet(rpc, FEE_BPS))

  const children = new Map<string, Child<NodeReady>>()
  stack.defer(
    async () =>
      void (await Promise.all(
        [...children.values()].map(async (child) => child[Symbol.asyncDispose]()),
      )),
  )

  const prepare = async (
    name: string,
    provider: InitialConfig['provider'],
    bootstrap: readonly string[],
  ): Promise<Prepared> => {
    const prepared = { name, dir: join(dir, name), passphraseFile: join(dir, `${name}.passphrase`) }
    const passphrase = randomBytes(16).toString('hex')
    await writeFile(prepared.passphraseFile, passphrase, { mode: 0o600 })
    const initial: InitialConfig = {
      network: { name: 'devnet', listen: [ANY_PORT], bootstrap, mdns: false, private: true },
      chain: { rpc, id: contracts.chainId, escrow: contracts.escrow },
      provider: provider ?? { enabled: false },
      requester: { lostAfter: options.lostAfter ?? LOST_AFTER },
    }
    const changed = (await options.change?.(name, initial, prepared.dir)) ?? initial
    const { privateKey, address } = await createNodeFolder(prepared.dir, passphrase, changed)
    await contracts.fund(address, PURSE)
    const escrow = await openChainEscrow(
      { clock: systemClock, privateKey },
      { rpc, address: contracts.escrow },
      signal,
    )
    await escrow.deposit(DEPOSIT, { signal })
    await escrow[Symbol.asyncDispose]()
    return prepared
  }
  const start = async (
    prepared: Prepared,
    role: LocalNode['role'],
    stop: AbortSignal,
  ): Promise<LocalNode> => {
    const args = [prepared.dir, prepared.passphraseFile]
    const logFile = join(dir, `${prepared.name}.log`)
    const child = await startChild<NodeReady>(await bundled('node-process'), {
      args,
      nodeFlags: options.nodeFlags ?? LEAN_FLAGS,
      env: LEAN_ENV,
      through: options.through?.(prepared.name) ?? [],
      logFile,
      signal: stop,
    })
    children.set(prepared.name, child)
    onStep(`${prepared.name} is up`)
    return { ...prepared, role, ...child.ready, child }
  }
  const names = (role: string, count: number) =>
    Array.from({ length: count }, (_, at) => `${role}-${at + 1}`)

  const [first = 'requester-1', ...others] = names('requester', Math.max(1, options.requesters))
  const hub = await start(await prepare(first, undefined, []), 'requester', signal)
  const prepared: [Prepared, LocalNode['role']][] = []
  for (const name of others)
    prepared.push([await prepare(name, undefined, hub.addresses), 'requester'])
  for (const [at, name] of names('provider', options.providers).entries()) {
    const settings = { enabled: true, claimAfterIdle: '1s', ...options.provider?.(at) }
    prepared.push([await prepare(name, settings, hub.addresses), 'provider'])
  }
  const nodes = await Promise.all(prepared.map(async ([each, role]) => start(each, role, signal)))

  const resources = stack.move()
  return {
    rpc,
    contracts,
    requesters: [hub, ...nodes.filter(({ role }) => role === 'requester')],
    providers: nodes.filter(({ role }) => role === 'provider'),
    async restart(node, stop) {
      await node.child[Symbol.asyncDispose]()
      await keepAddress(node)
      return start(node, node.role, stop)
    },
    [Symbol.asyncDispose]: async () => resources.disposeAsync(),
  }
}

/** Has a node listen where others know it, as one with a port of its own does. */
async function keepAddress({ dir, addresses }: LocalNode): Promise<void> {
  const file = join(dir, CONFIG_FILE)
  const [known = ''] = addresses
  const listen = known.replace(/\/p2p\/.*$/, '')
  await writeFile(file, (await readFile(file, 'utf8')).replace(ANY_PORT, listen))
}

interface Prepared {
  readonly name: string
  readonly dir: string
  readonly passphraseFile: string
}
