import assert from 'node:assert/strict'
import type { Amount } from '../../node/domain/money.ts'
import type { PriceList } from '../../node/domain/pricing.ts'
import type { EscrowEvent, TransactionReceipt } from '../../node/ports/escrow.ts'
import type { Sealer } from '../../node/ports/sealer.ts'
import type { JobSpec } from '../../node/domain/job-spec.ts'
import type { Hardware } from '../../node/domain/advert.ts'
import { GiB, MiB, second } from '../../node/domain/units.ts'
import { createEnvelopeCodec } from '../../node/protocol/envelope.ts'
import { Feed } from '../../node/services/feed.ts'
import type {
  ProviderOptions,
  ProviderParts,
} from '../../node/services/provider/provider-options.ts'
import { Provider } from '../../node/services/provider/provider.ts'
import type {
  RequesterOptions,
  RequesterParts,
} from '../../node/services/requester/requester-options.ts'
import { Requester } from '../../node/services/requester/requester.ts'
import type { JobRecord, JobRequest } from '../../node/services/requester/records.ts'
import { TaskRegister } from '../../node/services/monitoring/task-register.ts'
import { createSigning, type Signing } from '../../node/services/signing.ts'
import { createKeySealer } from '../../node/adapters/system/key-sealer.ts'
import { systemClock } from '../../node/adapters/system/system-clock.ts'
import { FakeBlobs, type FakeContentNetwork } from './fake-blobs.ts'
import { FakeChain } from './fake-chain.ts'
import { FakeNetwork, type FakeNode } from './fake-network.ts'
import { createFakeSandbox } from './fake-sandbox.ts'
import { fakeImage, type FakeScript } from './fake-script.ts'
import { FakeMachineState } from './fake-machine-state.ts'
import { MemoryStore } from './memory-store.ts'
import { quietLogger, type LoggedLine } from './quiet-logger.ts'
import { testKey, testSigner } from './test-signer.ts'
import { isFinal } from '../../node/domain/job-state.ts'
import { HiveError } from '../../node/domain/errors.ts'

/** Everything one member of a test market has. */
export interface Member {
  readonly node: FakeNode
  readonly signing: Signing
  readonly sealer: Sealer
  readonly store: MemoryStore
  readonly blobs: FakeBlobs
}

export const TEST_HARDWARE: Hardware = {
  cpuModel: 'test',
  arch: 'x64',
  cores: 2,
  memoryBytes: 4 * GiB,
  diskBytes: 10 * GiB,
  gpus: [],
  forJobs: { cpuMillis: 2000, memoryBytes: 2 * GiB, diskBytes: 2 * GiB, gpus: [] },
  sandboxes: { wasm: 'fake' },
}

/** The network of test markets. */
export const NETWORK = 'test'
/** One settlement token. */
export const TOKEN: Amount = 10n ** 18n
/** What a test provider asks for a task unless told otherwise. */
export const TASK_PRICE: Amount = TOKEN / 1000n

/** A list that asks the same for every task. */
export function priceATask(perTask: Amount): PriceList {
  return { perTask, perCoreSecond: 0n, perGpuSecond: 0n, reservedSecondsCap: 60 }
}

/** A chain that tells when something was mined. */
class WatchedChain extends FakeChain {
  readonly mined = new Feed<EscrowEvent>()

  override mine(...events: Parameters<FakeChain['mine']>): TransactionReceipt {
    const before = this.events.length
    const receipt = super.mine(...events)
    for (const event of this.events.slice(before)) this.mined.publish(event)
    return receipt
  }

  /** What channels have paid out so far, fees included. */
  get claimed(): Amount {
    return this.events.reduce(
      (sum, event) => sum + (event.type === 'claimed' ? event.paid : 0n),
      0n,
    )
  }
}

/** Requesters and providers in one process: real services over fake ports. */
export class TestMarket {
  readonly chain = new WatchedChain()
  readonly net = new FakeNetwork()
  /** What all members logged. */
  readonly log: LoggedLine[] = []
  readonly #content: FakeContentNetwork = new Map()
  #members = 0

  member(): Member {
    const signer = testSigner(++this.#members)
    const codec = createEnvelopeCodec({ chainId: this.chain.chainId, escrow: this.chain.address })
    this.chain.fund(signer.address, 100n * TOKEN)
    const node = this.net.join({ peer: signer.peer })
    const blobs = new FakeBlobs(this.#content, signer.peer)
    const sealer = createKeySealer(testKey(this.#members))
    return { node, signing: createSigning(codec, signer), sealer, store: new MemoryStore(), blobs }
  }

  /** The same member on a fresh node, as after a restart of its process; the old one is cut off. */
  rejoin(member: Member): Member {
    this.net.leave(member.signing.peer)
    return { ...member, node: this.net.join({ peer: member.signing.peer }) }
  }

  /** As {@link rejoin} after SIGKILL: what the old process still writes is lost. */
  async rejoinAfterKill(member: Member): Promise<Member> {
    const store = new MemoryStore()
    for await (const [key, value] of member.store.entries('')) await store.write([{ key, value }])
    return { ...this.rejoin(member), store }
  }

  async requester(
    member: Member,
    options: Partial<RequesterOptions> = {},
    parts: Partial<RequesterParts> = {},
  ): Promise<Requester> {
    const requester = new Requester(
      { ...this.parts(member), ...parts },
      { network: NETWORK, channelDeposit: TOKEN, lostAfterMs: second, ...options },
    )
    await requester.resume()
    return requester
  }

  async provider(
    member: Member,
    options: Partial<ProviderOptions> = {},
    parts: Partial<ProviderParts> = {},
  ): Promise<Provider> {
    const provider = new Provider(
      {
        ...this.parts(member),
        sandboxes: [createFakeSandbox()],
        running: new TaskRegister(),
        machine: new FakeMachineState(systemClock),
        ...parts,
      },
      {
        network: NETWORK,
        pricing: 'posted',
        prices: priceATask(TASK_PRICE),
        bond: TOKEN,
        maxQueue: 100,
        contentBytes: GiB,
        claimAbove: 1000n * TOKEN,
        claimAfterIdleMs: 50,
        resources: { cpuMillis: 2000, memoryBytes: 2 * GiB, diskBytes: 2 * GiB },
        ...options,
      },
    )
    await provider.start()
    return provider
  }

  /** The ports of a member, for services that a test puts together itself. */
  parts({ node, signing, sealer, store, blobs }: Member) {
    const { gossip, requests } = node
    const escrow = this.chain.as(signing.address)
    const logger = quietLogger(this.log)
    return { clock: systemClock, logger, store, gossip, requests, blobs, signing, sealer, escrow }
  }
}

/** A request for `tasks` runs of a scripted program, whose image is put on `member`. */
export async function aRequest(
  member: Member,
  script: FakeScript,
  changes: Partial<Omit<JobRequest, 'spec'>> & { readonly spec?: Partial<JobSpec> } = {},
): Promise<JobRequest> {
  const image = fakeImage(script)
  const cid = await member.blobs.add(image)
  const { spec, ...rest } = changes
  return {
    maxPrice: TOKEN / 100n,
    attempts: 2,
    bidWindowMs: 2 * second,
    bidsWanted: 20,
    ...rest,
    spec: {
      kind: 'wasm',
      image: { path: '/image', cid, size: image.byteLength },
      args: [],
      env: {},
      files: [],
      outputs: '/out',
      resources: { cpuMillis: 1000, memoryBytes: 64 * MiB, diskBytes: 16 * MiB },
      timeoutMs: 30 * second,
      stream: true,
      tasks: 1,
      inputs: [],
      ...spec,
    },
  }
}

/** Resolves with the job once nothing more can happen to it. */
export async function finished(requester: Requester, id: string): Promise<JobRecord> {
  await until(requester.book.updates, async () => isFinal((await requester.book.find(id)).state))
  return requester.book.find(id)
}

/** Runs a job of one task that ends at once, and resolves with it. */
export async function oneJob(
  requester: Requester,
  member: Member,
  signal: AbortSignal,
): Promise<JobRecord> {
  const { id } = await requester.submit(await aRequest(member, {}), signal)
  return finished(requester, id)
}

/** Resolves when `holds`, asked now and after each event of the feed. Throws JOB_TIMEOUT. */
export async function until<T>(
  feed: Feed<T>,
  holds: (event: T | undefined) => boolean | Promise<boolean>,
  timeoutMs: number = 20 * second,
): Promise<void> {
  const leave = new AbortController()
  const signal = AbortSignal.any([AbortSignal.timeout(timeoutMs), leave.signal])
  const events = feed.subscribe(signal)
  try {
    if (await holds(undefined)) return
    for await (const event of events) if (await holds(event)) return
  } finally {
    leave.abort()
  }
  throw new HiveError('JOB_TIMEOUT', { timeoutMs })
}

/** Resolves when the channels have paid out exactly `total`. */
export async function claimed(market: TestMarket, total: Amount): Promise<void> {
  await until(market.chain.mined, () => market.chain.claimed >= total)
  assert.equal(market.chain.claimed, total)
}

/** Resolves when a task of a job has started somewhere; `provider` narrows to one. */
export async function started(requester: Requester, provider?: string): Promise<void> {
  await until(
    requester.book.updates,
    (update) => update?.type === 'task' && (provider === undefined || provider === update.provider),
  )
}
