import type { JobSpec } from '../../node/domain/job-spec.ts'
import type { Hardware } from '../../node/domain/advert.ts'
import { GiB, MiB, second } from '../../node/domain/units.ts'
import { createEnvelopeCodec } from '../../node/protocol/envelope.ts'
import { Provider, type ProviderOptions } from '../../node/services/provider/provider.ts'
import { Requester, type RequesterOptions } from '../../node/services/requester/requester.ts'
import type { JobRecord, JobRequest } from '../../node/services/requester/records.ts'
import { createSigning, type Signing } from '../../node/services/signing.ts'
import { systemClock } from '../../node/adapters/system/system-clock.ts'
import { FakeBlobs, type FakeContentNetwork } from './fake-blobs.ts'
import { FakeChain } from './fake-escrow.ts'
import { FakeNetwork, type FakeNode } from './fake-network.ts'
import { createFakeSandbox } from './fake-sandbox.ts'
import { fakeImage, type FakeScript } from './fake-script.ts'
import { MemoryStore } from './memory-store.ts'
import { quietLogger, type LoggedLine } from './quiet-logger.ts'
import { testSigner } from './test-signer.ts'
import { isFinal } from '../../node/domain/job-state.ts'
import { HiveError } from '../../node/domain/errors.ts'

/** Everything one member of a test market has. */
export interface Member {
  readonly node: FakeNode
  readonly signing: Signing
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
  sandboxes: { wasm: 'fake' },
}

const NETWORK = 'test'
const TOKEN = 10n ** 18n

/** Requesters and providers in one process: real services over fake ports. */
export class TestMarket {
  readonly chain = new FakeChain()
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
    return { node, signing: createSigning(codec, signer), store: new MemoryStore(), blobs }
  }

  async requester(member: Member, options: Partial<RequesterOptions> = {}): Promise<Requester> {
    const requester = new Requester(this.#parts(member), {
      network: NETWORK,
      channelDeposit: TOKEN,
      lostAfterMs: second,
      ...options,
    })
    await requester.resume()
    return requester
  }

  async provider(member: Member, options: Partial<ProviderOptions> = {}): Promise<Provider> {
    const provider = new Provider(
      { ...this.#parts(member), sandboxes: [createFakeSandbox()] },
      {
        network: NETWORK,
        pricing: 'posted',
        prices: { perTask: TOKEN / 1000n, perCoreSecond: 0n, reservedSecondsCap: 60 },
        bond: TOKEN,
        maxQueue: 100,
        claimAbove: 1000n * TOKEN,
        claimAfterIdleMs: 50,
        resources: { cpuMillis: 2000, memoryBytes: 2 * GiB, diskBytes: 2 * GiB },
        ...options,
      },
    )
    await provider.start()
    return provider
  }

  #parts({ node, signing, store, blobs }: Member) {
    const { gossip, requests } = node
    const escrow = this.chain.as(signing.address)
    return {
      clock: systemClock,
      logger: quietLogger(this.log),
      store,
      gossip,
      requests,
      blobs,
      signing,
      escrow,
    }
  }
}

/** A request for `tasks` runs of a scripted program, whose image is put on `member`. */
export async function aRequest(
  member: Member,
  script: FakeScript,
  changes: Partial<JobRequest & { spec: Partial<JobSpec> }> = {},
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
export async function finished(
  requester: Requester,
  id: string,
  timeoutMs = 20 * second,
): Promise<JobRecord> {
  const signal = AbortSignal.timeout(timeoutMs)
  const updates = requester.book.updates.subscribe(signal)
  const now = await requester.book.find(id)
  if (isFinal(now.state)) return now
  for await (const update of updates) {
    if (update.type === 'job' && update.job.id === now.id && isFinal(update.job.state))
      return update.job
  }
  throw new HiveError('JOB_TIMEOUT', { id })
}
