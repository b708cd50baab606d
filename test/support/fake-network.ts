import secp256k1 from 'secp256k1'
import { HiveError } from '../../node/domain/errors.ts'
import type { PeerId } from '../../node/domain/ids.ts'
import { peerIdOfKey } from '../../node/protocol/identity.ts'
import { FakeDirectory } from './fake-directory.ts'
import { FakeGossip } from './fake-gossip.ts'
import { FakeRequests, type Wires } from './fake-requests.ts'
import { FakeSight } from './fake-sight.ts'
import type { TestNode } from './test-network.ts'

/** What a test may change about a fake network. */
export type FakeNetworkOptions = Wires['options']

/** A node of a fake network: the three ports, and whom they belong to. */
export interface FakeNode extends TestNode {
  readonly gossip: FakeGossip
  readonly requests: FakeRequests
  readonly directory: FakeDirectory
  readonly sight: FakeSight
}

/** Nodes in one process that talk by function calls. Nothing travels except as bytes. */
export class FakeNetwork implements Wires {
  readonly options: FakeNetworkOptions
  /** Which gossip is lost on its way; tests replace it. */
  loses: (from: PeerId, to: PeerId, topic: string) => boolean = () => false
  readonly #nodes = new Map<PeerId, FakeNode>()
  /** Connections by pair; aborting one cuts it. */
  readonly #links = new Map<string, AbortController>()
  readonly #walls = new Set<string>()

  constructor(options: FakeNetworkOptions = {}) {
    this.options = options
  }

  /** A new node, connected to all others unless told not to be. */
  join(options: { readonly peer?: PeerId; readonly alone?: boolean } = {}): FakeNode {
    const peer = options.peer ?? numberedPeer(this.#nodes.size + 1)
    const node: FakeNode = {
      peer,
      gossip: new FakeGossip(this, peer),
      requests: new FakeRequests(this, peer),
      directory: new FakeDirectory(this, peer),
      sight: new FakeSight(this, peer),
    }
    this.#nodes.set(peer, node)
    if (options.alone !== true) for (const other of this.#nodes.keys()) this.connect(peer, other)
    return node
  }

  /** Ends a node as SIGKILL would: its connections break and nobody reaches it. */
  leave(peer: PeerId): void {
    for (const other of this.neighbours(peer)) this.cut(peer, other.peer)
    this.#nodes.delete(peer)
  }

  /** Connects two nodes if they are there and no wall stands between them. */
  connect(a: PeerId, b: PeerId): boolean {
    const reachable = this.#nodes.has(a) && this.#nodes.has(b) && !this.#walls.has(pairOf(a, b))
    if (!reachable || a === b) return false
    if (!this.#links.has(pairOf(a, b))) this.#links.set(pairOf(a, b), new AbortController())
    return true
  }

  /** Breaks the connection of two nodes; they may connect again. */
  cut(a: PeerId, b: PeerId): void {
    const link = this.#links.get(pairOf(a, b))
    this.#links.delete(pairOf(a, b))
    link?.abort(new HiveError('STREAM_CUT'))
  }

  /** Keeps two nodes apart until {@link heal}. */
  part(a: PeerId, b: PeerId): void {
    this.#walls.add(pairOf(a, b))
    this.cut(a, b)
  }

  /** Ends {@link part}; they connect when one calls the other. */
  heal(a: PeerId, b: PeerId): void {
    this.#walls.delete(pairOf(a, b))
  }

  /** Aborts when the connection of two nodes breaks; `undefined` while there is none. */
  link(a: PeerId, b: PeerId): AbortSignal | undefined {
    return this.#links.get(pairOf(a, b))?.signal
  }

  neighbours(peer: PeerId): readonly FakeNode[] {
    return this.nodes().filter((node) => this.#links.has(pairOf(peer, node.peer)))
  }

  node(peer: PeerId): FakeNode | undefined {
    return this.#nodes.get(peer)
  }

  nodes(): readonly FakeNode[] {
    return [...this.#nodes.values()]
  }
}

function pairOf(a: PeerId, b: PeerId): string {
  return a < b ? `${a} ${b}` : `${b} ${a}`
}

/** A true secp256k1 peer id, the same for the same number. */
function numberedPeer(number: number): PeerId {
  const secret = new Uint8Array(32)
  new DataView(secret.buffer).setUint32(28, number)
  return peerIdOfKey(secp256k1.publicKeyCreate(secret))
}
