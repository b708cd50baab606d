import type { Hardware } from '../../../node/domain/advert.ts'
import { parseAmount } from '../../../node/domain/money.ts'
import { GiB, second } from '../../../node/domain/units.ts'
import type { Escrow } from '../../../node/ports/escrow.ts'
import type { Logger } from '../../../node/ports/logger.ts'
import type { Requests } from '../../../node/ports/requests.ts'
import type { Sandbox } from '../../../node/ports/sandbox.ts'
import { createKeySigner } from '../../../node/adapters/system/key-signer.ts'
import { TaskRegister } from '../../../node/services/monitoring/task-register.ts'
import { Presence } from '../../../node/services/presence.ts'
import { Provider } from '../../../node/services/provider/provider.ts'
import { Reconciler } from '../../../node/services/reconciler.ts'
import { Requester } from '../../../node/services/requester/requester.ts'
import { createSigning, type Signing } from '../../../node/services/signing.ts'
import { Visibility, type VisibilityParts } from '../../../node/services/visibility.ts'
import { offerTopic } from '../../../node/protocol/topics.ts'
import { FakeBlobs } from '../../../test/support/fake-blobs.ts'
import { FakeMachineState } from '../../../test/support/fake-machine-state.ts'
import { MemoryStore } from '../../../test/support/memory-store.ts'
import type { NetworkNode } from '../network/sim-network.ts'
import { lazySealer } from './lazy-sealer.ts'
import type { Machine } from './machines.ts'
import { SimSandbox } from './sim-sandbox.ts'
import type { World } from './world.ts'

/** What every node of a simulation is on. */
export const NETWORK = 'sim'
/** Time without a new voucher after which a node claims, ms; an hour in the node's defaults, which no run lasts. */
export const CLAIM_AFTER_MS: number = 30 * second

/** What a node gets in place of its own ports; how liars are made. */
export interface Twist {
  readonly signing?: (signing: Signing) => Signing
  readonly requests?: (requests: Requests) => Requests
  readonly sandbox?: (sandbox: Sandbox) => Sandbox
  readonly machine?: (machine: Machine) => Machine
}

/** The services of a node between a start and an end of its process. */
interface Life extends AsyncDisposable {
  readonly requester: Requester
  readonly provider: Provider
  readonly reconciler: Reconciler
}

/** One node: its key, its machine and its disk, which outlive its process. */
export class SimNode {
  readonly at: number
  readonly machine: Machine
  readonly signing: Signing
  readonly escrow: Escrow
  readonly twist: Twist | undefined
  readonly blobs: FakeBlobs
  readonly #world: World
  readonly #privateKey: Uint8Array
  #store = new MemoryStore()
  #life: Life | undefined
  /** Lives that were cut off and are coming to their end. */
  readonly #ending = new Set<Promise<void>>()

  constructor(world: World, at: number, machine: Machine, twist?: Twist) {
    this.at = at
    this.#world = world
    this.twist = twist
    this.machine = twist?.machine?.(machine) ?? machine
    this.#privateKey = keyOf(at)
    const signing = createSigning(world.codec, createKeySigner(this.#privateKey))
    this.signing = twist?.signing?.(signing) ?? signing
    this.escrow = world.chain.as(signing.address)
    const { clock } = world
    this.blobs = new FakeBlobs(world.contents, signing.peer, {
      now: () => clock.now(),
      bring: async (from, bytes) => world.bring(from, signing.peer, bytes),
    })
  }

  get life(): Life | undefined {
    return this.#life
  }

  /** Starts the node's process on what its disk holds. */
  async start(): Promise<void> {
    const node = this.#world.network.join(this.signing.peer, this.at)
    this.#life = await this.#open(node)
  }

  /** Ends the process as SIGKILL would: nobody hears of it, and what it still writes is lost. */
  async kill(): Promise<void> {
    const life = this.#life
    if (life === undefined) return
    this.#life = undefined
    this.#world.network.leave(this.signing.peer)
    const store = new MemoryStore()
    for await (const [key, value] of this.#store.entries('')) await store.write([{ key, value }])
    this.#store = store
    const ending = Promise.resolve(life[Symbol.asyncDispose]()).finally(() =>
      this.#ending.delete(ending),
    )
    this.#ending.add(ending)
  }

  /** Ends the process in good order. */
  async stop(): Promise<void> {
    await this.#life?.[Symbol.asyncDispose]()
    this.#life = undefined
    await Promise.all(this.#ending)
  }

  async #open(node: NetworkNode): Promise<Life> {
    const { clock, logger } = this.#world
    const { signing, escrow, blobs, machine } = this
    const requests = this.twist?.requests?.(node.requests) ?? node.requests
    const sealer = lazySealer(this.#privateKey)
    const { gossip, directory } = node
    const store = this.#store
    const parts = { clock, logger, store, gossip, requests, directory, blobs, signing, sealer }
    const requester = new Requester({ ...parts, escrow }, REQUESTER)
    const running = new TaskRegister()
    const state = new FakeMachineState(clock)
    const provider = new Provider(
      { ...parts, escrow, sandboxes: this.#sandboxes(), running, machine: state },
      { ...PROVIDER, prices: machine.prices, resources: machine.resources },
    )
    const presence = this.#presence(parts, machine.hardware)
    const visibility = this.#visibility({ ...parts, presence, sight: node.sight })
    const { channels } = requester
    const { earnings } = provider
    const reconciler = new Reconciler({ clock, logger, escrow, channels, earnings })
    await provider.start()
    await presence.start()
    visibility.start()
    await requester.resume()
    reconciler.start()
    const services = [requester, provider, presence, visibility, reconciler]
    return {
      requester,
      provider,
      reconciler,
      [Symbol.asyncDispose]: async () => {
        await Promise.all(services.map(async (service) => service[Symbol.asyncDispose]()))
      },
    }
  }

  #sandboxes(): readonly Sandbox[] {
    const { kinds } = this.machine
    const sandboxes = kinds.map((kind) => new SimSandbox(kind, this.#world.clock))
    return sandboxes.map((sandbox) => this.twist?.sandbox?.(sandbox) ?? sandbox)
  }

  #presence(parts: ConstructorParameters<typeof Presence>[0], hardware: Hardware): Presence {
    return new Presence(parts, { network: NETWORK, kinds: this.machine.kinds, hardware })
  }

  #visibility(parts: Omit<VisibilityParts, 'reachability'>): Visibility {
    const topics = this.machine.kinds.map((kind) => offerTopic(NETWORK, kind))
    return new Visibility({ ...parts, reachability: () => 'direct' }, { topics })
  }
}

const REQUESTER = {
  network: NETWORK,
  channelDeposit: parseAmount('1'),
  lostAfterMs: 30 * second,
} as const

/** As the node's defaults where they say something, with prices that follow the load. */
const PROVIDER = {
  network: NETWORK,
  pricing: 'follow',
  bond: parseAmount('1'),
  maxQueue: 100,
  contentBytes: 10 * GiB,
  claimAbove: parseAmount('1'),
  claimAfterIdleMs: CLAIM_AFTER_MS,
} as const

/** What nodes log goes nowhere: the figures say what happened. */
export const NO_LOG: Logger = {
  error: () => undefined,
  warn: () => undefined,
  info: () => undefined,
  debug: () => undefined,
  child: () => NO_LOG,
}

/** A key that guards nothing, the same for the same place. */
function keyOf(at: number): Uint8Array {
  const privateKey = new Uint8Array(32).fill(1)
  new DataView(privateKey.buffer).setUint32(28, at + 1)
  return privateKey
}
