import type { PeerId } from '../../node/domain/ids.ts'
import type { Conversations } from '../../node/ports/conversations.ts'
import type { Directory } from '../../node/ports/directory.ts'
import type { Gossip } from '../../node/ports/gossip.ts'
import type { Requests } from '../../node/ports/requests.ts'
import type { Sight } from '../../node/ports/sight.ts'

/** One node as the network suites see it. */
export interface TestNode {
  readonly peer: PeerId
  readonly gossip: Gossip
  readonly requests: Requests & Conversations
  readonly directory: Directory
  readonly sight: Sight
}

/** How the nodes of a test are connected: each with each, or each only with the first. */
export type Shape = 'all' | 'star'

/** What a suite asks for. */
export interface NetworkPlan {
  readonly nodes: number
  readonly shape?: Shape
  /** Time limit of every protocol instead of its row's, ms. */
  readonly timeoutMs?: number
}

/** Some nodes, connected, real or not. */
export interface TestNetwork extends AsyncDisposable {
  readonly nodes: readonly TestNode[]
  /** Resolves when each node knows which of its neighbours joined `topic`. */
  settled(topic: string): Promise<void>
  /** Ends the connection between two nodes, as if a cable were pulled; they may dial again. */
  cut(a: TestNode, b: TestNode): Promise<void>
}

/** Builds a network to a plan. */
export type OpenNetwork = (plan: NetworkPlan) => Promise<TestNetwork>

/** The node at a place; for tests that know how many they asked for. */
export function nodeAt(network: TestNetwork, place: number): TestNode {
  const node = network.nodes[place]
  if (node === undefined) throw new RangeError(`no node ${place}`)
  return node
}
