import { randomBytes } from 'node:crypto'
import { inspect } from 'node:util'
import { openLibp2pNet } from '../../node/adapters/libp2p/libp2p-net.ts'
import type { Libp2pOptions } from '../../node/adapters/libp2p/options.ts'
import type { Reachability, Relaying } from '../../node/ports/directory.ts'
import { quietLogger } from './quiet-logger.ts'

/** What a node of a lab is told; what is left out has its default. */
export type LabOptions = Omit<
  Libp2pOptions,
  'network' | 'sharedKey' | 'validateAdvert' | 'selectAdvert'
>

/** What such a process is started with, as JSON in argv[2]. */
export interface ReachPlan {
  /** The node's secret, hex. */
  readonly key: string
  readonly options: LabOptions
}

/** What a node says of how it is reached and how it reaches others. */
export interface ReachState {
  readonly peer: string
  readonly reachability: Reachability
  readonly relaying: Relaying
  readonly addresses: readonly string[]
  /** Of each connection: to whom, by which address, and whether a relay carries it. */
  readonly connections: readonly {
    readonly peer: string
    readonly address: string
    readonly isRelayed: boolean
  }[]
}

/** A question of its parent: an address to dial, a peer to ask something, or nothing; then it says how it is. */
export interface ReachQuestion {
  readonly dial?: string
  readonly call?: string
}

/** How long a dial or an answer may take, ms. */
const PATIENCE_MS = 30_000

/** One node in a network of its own, told whom to dial by its parent: see lab-processes.ts. */
const { key, options } = JSON.parse(process.argv[2] ?? '') as ReachPlan
const net = await openLibp2pNet(
  { logger: quietLogger(), privateKey: Buffer.from(key, 'hex') },
  { network: 'lab', ...options },
)

function state(): ReachState {
  return {
    peer: net.peer,
    reachability: net.reachability(),
    relaying: net.relaying(),
    addresses: net.directory.addresses(),
    connections: net.libp2p.getConnections().map(({ remotePeer, remoteAddr, limits }) => ({
      peer: remotePeer.toString(),
      address: remoteAddr.toString(),
      isRelayed: limits !== undefined,
    })),
  }
}

net.requests.answer('bid', async (_from, request) => request)

async function act({ dial, call }: ReachQuestion): Promise<void> {
  const signal = AbortSignal.timeout(PATIENCE_MS)
  if (dial !== undefined) await net.directory.dial(dial, { signal })
  if (call !== undefined) await net.requests.call(call, 'bid', randomBytes(8), { signal })
}

process.on('message', (question: ReachQuestion) => {
  act(question).then(
    () => process.send?.(state()),
    (error: unknown) => process.send?.({ failed: inspect(error) }),
  )
})
process.on('disconnect', () => {
  void net[Symbol.asyncDispose]().then(() => process.exit(0))
})
process.send?.(state())
