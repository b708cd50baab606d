import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../node/adapters/system/system-clock.ts'
import { readApiFile } from '../../node/api/api-file.ts'
import { openApi, type Api } from '../../node/api/server.ts'
import type { Score } from '../../node/domain/capacity.ts'
import type { SpendingLimits } from '../../node/domain/spending.ts'
import { hour } from '../../node/domain/units.ts'
import type { Clock } from '../../node/ports/clock.ts'
import type { Escrow } from '../../node/ports/escrow.ts'
import { CapacityKeeper } from '../../node/services/capacity-keeper.ts'
import { Challenger } from '../../node/services/challenge/challenger.ts'
import { ImageBook } from '../../node/services/image-book.ts'
import { Monitor } from '../../node/services/monitoring/monitor.ts'
import { TaskRegister } from '../../node/services/monitoring/task-register.ts'
import { PriceBook } from '../../node/services/price-book.ts'
import { Presence } from '../../node/services/presence.ts'
import type { PolicyOptions } from '../../node/services/provider/policy-options.ts'
import type { Provider } from '../../node/services/provider/provider.ts'
import { Reconciler } from '../../node/services/reconciler.ts'
import { Attaching } from '../../node/services/requester/attaching.ts'
import type { Requester } from '../../node/services/requester/requester.ts'
import { Workflows } from '../../node/services/requester/workflows.ts'
import { FakeEffort } from './fake-effort.ts'
import { FakeSampler } from './fake-sampler.ts'
import { createFakeSandbox } from './fake-sandbox.ts'
import { quietLogger } from './quiet-logger.ts'
import { TEST_HARDWARE, TestMarket, type Member } from './test-market.ts'

/** What the machine of a test was measured to do. */
export const TEST_SCORE: Score = { measuredAt: 1_800_000_000_000, cores: 2, fuelPerSecond: 12e9 }

/** A node's API over real services and fake ports. */
export interface TestApi extends AsyncDisposable {
  readonly market: TestMarket
  readonly member: Member
  readonly requester: Requester
  readonly api: Api
  readonly sampler: FakeSampler
  readonly running: TaskRegister
  readonly reconciler: Reconciler
  readonly escrow: Escrow
  readonly dataDir: string
  readonly token: string
  /** Calls with the token; `null` sends none. */
  call(path: string, options?: TestCall): Promise<Response>
}

export interface TestCall {
  readonly body?: unknown
  readonly bytes?: Uint8Array
  readonly token?: string | null
  readonly headers?: Readonly<Record<string, string>>
  readonly method?: string
  readonly signal?: AbortSignal
}

/** Opens one, with a provider next door unless told otherwise. */
export async function openTestApi(
  options: {
    readonly providers?: number
    readonly clock?: Clock
    readonly isProvider?: boolean
    readonly limits?: SpendingLimits
    /** Of the node's own provider. */
    readonly policy?: Partial<PolicyOptions>
  } = {},
): Promise<TestApi> {
  const stack = new AsyncDisposableStack()
  const market = new TestMarket()
  // Claims come when a test sends them, not in the middle of it.
  const unhurried = { claimAfterIdleMs: hour }
  const member = market.member()
  const prices = stack.use(new PriceBook(market.parts(member)))
  await prices.start()
  const limits = options.limits ?? {}
  const requester = stack.use(await market.requester(member, { limits }, { prices }))
  for (let left = options.providers ?? 1; left > 0; left -= 1)
    stack.use(await market.provider(market.member(), unhurried))
  const running = new TaskRegister()
  const sandbox = createFakeSandbox()
  const own: Provider | undefined =
    options.isProvider === true
      ? stack.use(
          await market.provider(
            market.member(),
            { ...unhurried, policy: options.policy ?? {} },
            // one node has one store of content
            { running, sandboxes: [sandbox], blobs: member.blobs },
          ),
        )
      : undefined
  const { node, signing, store, blobs } = member
  const parts = { clock: options.clock ?? systemClock, logger: quietLogger(market.log) }
  const escrow = market.chain.as(signing.address)
  const presence = stack.use(
    new Presence(
      { ...parts, store, signing, directory: node.directory, requests: node.requests },
      { network: 'test', kinds: [], hardware: TEST_HARDWARE },
    ),
  )
  const { channels } = requester
  const reconciler = stack.use(new Reconciler({ ...parts, escrow, channels, earnings: undefined }))
  const capacity = stack.use(
    new CapacityKeeper(
      {
        ...parts,
        store,
        benchmark: { measure: async () => TEST_SCORE },
        isIdle: () => (own?.slots.utilisation ?? 0) === 0,
        onScore: (score) => presence.tellScore(score),
      },
      { cores: TEST_HARDWARE.cores, unasked: false },
    ),
  )
  const challenger = new Challenger(
    { clock: parts.clock, requests: node.requests, effort: new FakeEffort() },
    { cores: 1, links: 1, memory: false },
  )
  const sampler = new FakeSampler(parts.clock)
  const monitor = stack.use(
    new Monitor({
      ...parts,
      sampler,
      running,
      useOf: async ({ id }) => sandbox.usage?.(id),
    }),
  )
  const dataDir = await mkdtemp(join(tmpdir(), 'hive-api-'))
  stack.defer(() => rm(dataDir, { recursive: true }))
  const api = stack.use(
    await openApi(
      {
        ...parts,
        requester,
        workflows: stack.use(new Workflows({ ...parts, store, requester })),
        attaching: new Attaching({ book: requester.book, lines: node.requests }),
        ...(own !== undefined && { provider: own }),
        presence,
        capacity,
        challenger,
        monitor,
        prices,
        peerCount: () => node.directory.connected().length,
        reconciler,
        escrow,
        blobs,
        images: new ImageBook({ ...parts, store, blobs }),
        signing,
        addresses: () => node.directory.addresses(),
        reachability: () => 'direct',
        relaying: () => ({ via: [], connections: 1, carried: 2 }),
      },
      { dataDir, port: 0, network: 'test', kinds: own === undefined ? [] : ['wasm'] },
    ),
  )
  const { token } = (await readApiFile(dataDir)) ?? { token: '' }
  return {
    market,
    member,
    requester,
    api,
    sampler,
    running,
    reconciler,
    escrow,
    dataDir,
    token,
    call: async (path, call = {}) =>
      fetch(`http://127.0.0.1:${api.port}${path}`, init(call, token)),
    [Symbol.asyncDispose]: async () => stack.disposeAsync(),
  }
}

function init({ body, bytes, token, headers, method, signal }: TestCall, own: string): RequestInit {
  const content =
    bytes === undefined
      ? body === undefined
        ? undefined
        : JSON.stringify(body)
      : new Blob([bytes as Uint8Array<ArrayBuffer>])
  const type = bytes === undefined ? 'application/json' : 'application/octet-stream'
  return {
    method: method ?? (content === undefined ? 'GET' : 'POST'),
    headers: {
      ...(token !== null && { authorization: `Bearer ${token ?? own}` }),
      ...(content !== undefined && { 'content-type': type }),
      ...headers,
    },
    ...(content !== undefined && { body: content }),
    ...(signal !== undefined && { signal }),
  }
}
