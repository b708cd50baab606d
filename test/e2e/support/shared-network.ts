import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before } from 'node:test'
import { systemClock } from '../../../node/adapters/system/system-clock.ts'
import type { PeerBody } from '../../../node/api/schemas/node.ts'
import { NodeClient } from '../../../node/cli/node-client.ts'
import { minute } from '../../../node/domain/units.ts'
import {
  startLocalNetwork,
  type LocalNetwork,
  type LocalNetworkOptions,
  type LocalNode,
} from '../../../scripts/devnet/local-network.ts'

/** How long anything of a test may take before it counts as stuck, ms. */
export const PATIENCE_MS: number = 1 * minute
const START_MS = 2 * minute
const LOOK_EVERY_MS = 50
/** Each look asks every peer for its advert, of which the table of protocols allows one a second, ms. */
const MEET_EVERY_MS = 1000

/** A network of separate processes for all tests of one file, made before them and ended after. */
export class SharedNetwork {
  /** What the nodes' folders rest on: disposed when the nodes have ended. */
  readonly beneath = new AsyncDisposableStack()
  #network: LocalNetwork | undefined
  readonly #nodes = new Map<string, LocalNode>()

  constructor(
    options: Pick<
      LocalNetworkOptions,
      'providers' | 'requesters' | 'provider' | 'lostAfter' | 'change' | 'nodeFlags' | 'through'
    >,
  ) {
    let dir: string | undefined
    before(
      async () => {
        dir = await mkdtemp(join(tmpdir(), 'hive-e2e-'))
        const signal = AbortSignal.timeout(START_MS)
        this.#network = await startLocalNetwork({ dir, ...options, signal })
        for (const node of [...this.#network.requesters, ...this.#network.providers])
          this.#nodes.set(node.name, node)
        await this.everyoneMet()
      },
      { timeout: START_MS },
    )
    after(async () => {
      await this.#network?.[Symbol.asyncDispose]()
      await this.beneath.disposeAsync()
      if (dir !== undefined) await rm(dir, { recursive: true })
    })
  }

  /** The network; only inside tests. */
  get all(): LocalNetwork {
    if (this.#network === undefined) throw new Error('the network has not been started')
    return this.#network
  }

  /** A node by its name, as it runs now. */
  node(name: string): LocalNode {
    const node = this.#nodes.get(name)
    if (node === undefined) throw new Error(`no node ${name}`)
    return node
  }

  /** The node with an address. */
  nodeAt(address: string): LocalNode {
    const node = [...this.#nodes.values()].find((each) => each.address === address)
    if (node === undefined) throw new Error(`no node at ${address}`)
    return node
  }

  get nodes(): readonly LocalNode[] {
    return [...this.#nodes.values()]
  }

  /** The API of a node. */
  async client(name: string): Promise<NodeClient> {
    return NodeClient.open(this.node(name).dir, fetch)
  }

  /** Kills a node's process as the kernel does when memory is out. */
  async kill(name: string): Promise<void> {
    const { process: child } = this.node(name).child
    const exited = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGKILL')
    await exited
  }

  /** Starts a killed node again on the same folder. */
  async restart(name: string): Promise<void> {
    this.#nodes.set(name, await this.all.restart(this.node(name), patience()))
    await this.everyoneMet()
  }

  /** Resolves once every living node has heard from every other what it is. */
  async everyoneMet(): Promise<void> {
    const living = this.nodes.filter(({ child }) => child.process.signalCode === null)
    for (const { dir } of living) {
      const client = await NodeClient.open(dir, fetch)
      await eventually(async () => {
        const { peers } = await client.get<{ peers: PeerBody[] }>('/v1/peers')
        return peers.filter(({ kinds }) => kinds !== undefined).length >= living.length - 1
      }, MEET_EVERY_MS)
    }
  }
}

/** A signal that ends what takes too long. */
export function patience(): AbortSignal {
  return AbortSignal.timeout(PATIENCE_MS)
}

/** Asks another process until the answer is yes; rejects when patience ends. */
export async function eventually(
  holds: () => Promise<boolean>,
  everyMs: number = LOOK_EVERY_MS,
): Promise<void> {
  const signal = patience()
  while (!(await holds())) await systemClock.sleep(everyMs, signal)
}
