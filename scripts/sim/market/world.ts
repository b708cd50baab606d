import { HiveError } from '../../../node/domain/errors.ts'
import type { PeerId } from '../../../node/domain/ids.ts'
import { parseAmount } from '../../../node/domain/money.ts'
import { second } from '../../../node/domain/units.ts'
import type { Logger } from '../../../node/ports/logger.ts'
import { createEnvelopeCodec } from '../../../node/protocol/envelope.ts'
import type { FakeContentNetwork } from '../../../test/support/fake-blobs.ts'
import { SimChain } from '../chain/sim-chain.ts'
import { Geography } from '../network/geography.ts'
import { SimNetwork } from '../network/sim-network.ts'
import { Traffic } from '../network/traffic.ts'
import { FRAME_BYTES } from '../network/wire-costs.ts'
import { Randomness } from '../time/randomness.ts'
import { VirtualClock } from '../time/virtual-clock.ts'
import { checkedOnce, type WatchedCodec } from './checked-once.ts'
import { drawMachine } from './machines.ts'
import { NO_LOG, SimNode, type Twist } from './sim-node.ts'

export interface WorldOptions {
  readonly nodes: number
  readonly seed: number
  readonly reorganises: boolean
  /** What a node is twisted by; `undefined` for an honest one. */
  readonly twist: (at: number) => Twist | undefined
  /** Where nodes log. Default: nowhere. */
  readonly logger?: Logger
}

/** What an account starts with in the escrow; enough for the bond or the deposit of many channels. */
const FUNDS = parseAmount('1000')
/** Bytes that come in a second between two nodes. */
const CONTENT_BYTES_PER_MS: number = 4_000_000 / second

/** Time, a network, a chain, and nodes. */
export class World {
  readonly clock = new VirtualClock()
  readonly traffic = new Traffic()
  readonly contents: FakeContentNetwork = new Map()
  readonly chain: SimChain
  readonly network: SimNetwork
  readonly codec: WatchedCodec
  readonly logger: Logger
  readonly nodes: readonly SimNode[]
  readonly #geography: Geography

  constructor({ nodes, seed, reorganises, twist, logger }: WorldOptions) {
    const { clock, traffic } = this
    const draw = (name: string) => new Randomness(seed, name)
    this.logger = logger ?? NO_LOG
    this.#geography = new Geography(draw('places'))
    this.chain = new SimChain(clock, draw('chain'), { reorganises })
    const { chainId, address: escrow } = this.chain
    this.codec = checkedOnce(createEnvelopeCodec({ chainId, escrow }))
    const geography = this.#geography
    this.network = new SimNetwork({ clock, traffic, geography, random: draw('network') })
    const [machines, equipment] = [draw('machines'), draw('equipment')]
    this.nodes = Array.from({ length: nodes }, (_, at) => {
      geography.settle()
      return new SimNode(this, at, drawMachine(machines, equipment), twist(at))
    })
    for (const { signing } of this.nodes) this.chain.fund(signing.address, FUNDS)
  }

  /** Starts all nodes, and lets them tell of themselves. */
  async start(): Promise<void> {
    let up = 0
    for (const node of this.nodes) void node.start().then(() => up++)
    await this.clock.run(() => up === this.nodes.length)
  }

  /** Ends all nodes. */
  async stop(): Promise<void> {
    let isOver = false
    void Promise.all(this.nodes.map(async (node) => node.stop())).then(() => (isOver = true))
    await this.clock.run(() => isOver)
  }

  /** Brings content from one node to another. Throws CONTENT_NOT_FOUND when its holder cannot be reached. */
  async bring(from: PeerId, to: PeerId, bytes: number): Promise<void> {
    if (from === to) return
    if (!this.network.connect(to, from)) throw new HiveError('CONTENT_NOT_FOUND', { from })
    const [there, here] = [this.network.node(from)?.at ?? 0, this.network.node(to)?.at ?? 0]
    this.traffic.add('content', bytes + 4 * FRAME_BYTES)
    const wayMs = 2 * this.#geography.latency(here, there)
    await this.clock.pass(wayMs + bytes / CONTENT_BYTES_PER_MS)
  }
}
