import { randomBytes } from 'node:crypto'
import { type Libp2pNet, openLibp2pNet } from '../../node/adapters/libp2p/libp2p-net.ts'
import type { Libp2pOptions } from '../../node/adapters/libp2p/options.ts'
import { quietLogger } from './quiet-logger.ts'
import type { NetworkPlan, TestNetwork } from './test-network.ts'

/** A network of real nodes on loopback, in one process. */
export interface RealNetwork extends TestNetwork {
  readonly nodes: readonly Libp2pNet[]
}

/** Starts real nodes and connects them to the plan's shape; resolves when all know all. */
export async function openRealNetwork(
  plan: NetworkPlan,
  options: Partial<Libp2pOptions> = {},
): Promise<RealNetwork> {
  await using stack = new AsyncDisposableStack()
  const nodes: Libp2pNet[] = []
  for (let place = 0; place < plan.nodes; place += 1) {
    // leaves of a star listen nowhere, so that none can go past the centre
    const listen = plan.shape === 'star' && place > 0 ? { listen: [] } : {}
    const timeout = plan.timeoutMs === undefined ? {} : { timeoutMs: plan.timeoutMs }
    const node = await openLibp2pNet(
      { logger: quietLogger(), privateKey: randomBytes(32) },
      // nothing is dialled again behind a test's back
      {
        network: 'test',
        allowPrivateAddresses: true,
        wantedPeers: 0,
        ...listen,
        ...timeout,
        ...options,
      },
    )
    nodes.push(stack.use(node))
  }
  await connectAll(nodes, plan.shape ?? 'all')
  const resources = stack.move()
  return {
    nodes,
    settled: (topic) => until(() => nodes.every((node) => isSettled(node, nodes, topic))),
    cut: async (a, b) => {
      const node = nodes.find(({ peer }) => peer === a.peer)
      const other = nodes.find(({ peer }) => peer === b.peer)
      for (const connection of node?.libp2p.getConnections(other?.libp2p.peerId) ?? []) {
        connection.abort(new Error('cut by the test'))
      }
      await until(() => other?.libp2p.getConnections(node?.libp2p.peerId).length === 0)
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  }
}

/** What the service has beside its public type; only tests look at it. */
interface PubSubInside {
  getSubscribers(topic: string): readonly { toString(): string }[]
  getMeshPeers(topic: string): readonly string[]
}

async function connectAll(nodes: readonly Libp2pNet[], shape: 'all' | 'star'): Promise<void> {
  const signal = new AbortController().signal
  for (const [place, node] of nodes.entries()) {
    for (const earlier of nodes.slice(0, shape === 'star' ? Math.min(place, 1) : place)) {
      const [address = ''] = earlier.directory.addresses()
      await node.directory.dial(address, { signal })
    }
  }
  const others = (node: Libp2pNet): number =>
    shape === 'star' && node !== nodes[0] ? 1 : nodes.length - 1
  await until(() =>
    nodes.every(
      (node) =>
        node.libp2p.services.pubsub.getPeers().length >= others(node) &&
        // the DHT keeps no peer that listens nowhere
        (shape === 'star' || dhtPeers(node) >= others(node)),
    ),
  )
}

function dhtPeers({ libp2p }: Libp2pNet): number {
  return (libp2p.services.dht as unknown as { routingTable: { size: number } }).routingTable.size
}

/** Whether `node` heard of every neighbour's subscription, and has them in its mesh if it joined. */
function isSettled(node: Libp2pNet, nodes: readonly Libp2pNet[], topic: string): boolean {
  const joined = (other: Libp2pNet): boolean =>
    other.libp2p.services.pubsub.getTopics().includes(topic)
  const neighbours = node.libp2p.getPeers().map(String)
  const listeners = nodes.filter((other) => neighbours.includes(other.peer) && joined(other))
  const pubsub = node.libp2p.services.pubsub as unknown as PubSubInside
  const known = pubsub.getSubscribers(topic).map(String)
  const mesh = joined(node) ? pubsub.getMeshPeers(topic) : known
  return listeners.every(({ peer }) => known.includes(peer) && mesh.includes(peer))
}

/** Looks again after each turn of the event loop; the test's own time limit ends a hopeless wait. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5))
}
