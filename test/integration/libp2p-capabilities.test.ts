import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { advertKey } from '../../node/adapters/libp2p/advert-records.ts'
import { capabilityKey } from '../../node/adapters/libp2p/capability-key.ts'
import { peerView } from '../../node/api/views/peer-view.ts'
import type { Hardware } from '../../node/domain/advert.ts'
import { JOB_KINDS } from '../../node/domain/job-spec.ts'
import { parseNeed } from '../../node/domain/machine-need.ts'
import { GiB } from '../../node/domain/units.ts'
import { shardedTag, shardOfPeer } from '../../node/protocol/capability-tags.ts'
import type { PeerView } from '../../node/services/presence.ts'
import { MemoryStore } from '../support/memory-store.ts'
import { openRealPresence, type RealPresence } from '../support/real-presence.ts'
import { NETWORK, TEST_HARDWARE } from '../support/test-market.ts'

const never = { signal: new AbortController().signal }
const FOR_JOBS = { cpuMillis: 2000, memoryBytes: 2 * GiB, diskBytes: 2 * GiB, gpus: [] }

/** A machine with one card, which its operator gives to jobs or does not. */
function machine(region: string, memoryGiB: number, given = true): Partial<Hardware> {
  const card = { vendor: 'nvidia', memoryBytes: memoryGiB * GiB, count: 1 }
  return {
    region,
    gpus: [{ ...card, model: 'card' }],
    forJobs: { ...FOR_JOBS, gpus: given ? [card] : [] },
  }
}

/** Nodes that look for the same as `hive peers --need` does. */
async function found(by: RealPresence, text: string): Promise<readonly PeerView[]> {
  const need = parseNeed(text, JOB_KINDS, [])
  assert.ok(need)
  const accepts = (view: PeerView) => {
    const { kinds = [], hardware } = peerView(view)
    return hardware !== undefined && need.isMet({ kinds, hardware })
  }
  return by.presence.find({ tags: need.tags, accepts }, never.signal)
}

/** Each dials all before it. */
async function connectAll(nodes: readonly RealPresence[]): Promise<void> {
  for (const [place, node] of nodes.entries())
    for (const earlier of nodes.slice(0, place)) await node.dial(earlier)
}

/** What a node's DHT holds itself, which its public type does not show. */
interface HeldInside {
  readonly providers: { getProviders(key: unknown): Promise<readonly unknown[]> }
  readonly contentFetching: { getLocal(key: Uint8Array): Promise<unknown> }
}

function heldBy({ net }: RealPresence): HeldInside {
  return net.libp2p.services.dht as unknown as HeldInside
}

/** Whether a node's DHT holds a node's announcement of a tag. */
async function holds(holder: RealPresence, of: RealPresence, tag: string): Promise<boolean> {
  const { peer } = of.net
  const key = await capabilityKey(NETWORK, shardedTag(tag, shardOfPeer(peer)))
  return (await heldBy(holder).providers.getProviders(key)).map(String).includes(peer)
}

async function holdsAdvert(holder: RealPresence, of: RealPresence): Promise<boolean> {
  const local = heldBy(holder).contentFetching.getLocal(advertKey(of.net.peer))
  return (await local.catch(() => undefined)) !== undefined
}

/** Looks again after each turn; the test's own time limit ends a hopeless wait. */
async function until(holdsNow: () => Promise<boolean>): Promise<void> {
  while (!(await holdsNow())) await new Promise((resolve) => setTimeout(resolve, 20))
}

test('capabilities: who has the GPU in the region is found, and after its death by what the DHT has of it alone', async () => {
  await using stack = new AsyncDisposableStack()
  const open = async (kinds: string[], hardware: Partial<Hardware> = {}) =>
    stack.use(await openRealPresence({ kinds, hardware }))
  const seeker = await open([])
  const meant = await open(['docker'], machine('eu-west', 16))
  const others = [
    await open(['docker'], machine('us-east', 16)),
    await open(['docker'], machine('eu-west', 16, false)),
    await open([], machine('eu-west', 16)),
  ]
  await connectAll([seeker, meant, ...others])
  // one after another, and what the one that is meant leaves behind has to be at others than itself
  for (const node of [meant, ...others]) {
    await node.presence.start()
    await until(async () => holdsAdvert(seeker, node))
  }
  const need = 'gpu.nvidia>=16GB, region=eu'
  for (const tag of ['gpu.nvidia>=12', 'region=eu'])
    await until(async () => holds(seeker, meant, tag))
  const [alive, ...more] = await found(seeker, need)
  assert.deepEqual([alive?.peer, alive?.connected, more.length], [meant.net.peer, true, 0])
  await meant[Symbol.asyncDispose]()
  await until(
    async () => !seeker.net.directory.connected().some(({ peer }) => peer === meant.net.peer),
  )
  const [dead, ...rest] = await found(seeker, need)
  assert.deepEqual([dead?.peer, dead?.connected, rest.length], [meant.net.peer, false, 0])
  assert.equal(dead?.advert?.node, meant.signing.address)
})

test('capabilities: of two adverts of one node at different holders the newer is chosen', async () => {
  await using stack = new AsyncDisposableStack()
  const open = async (checks: boolean) => stack.use(await openRealPresence({ checks }))
  const [first, second, third] = [await open(false), await open(false), await open(false)]
  const privateKey = randomBytes(32)
  const tell = async (seq: number, holders: readonly RealPresence[]) => {
    await using author = await openRealPresence({ privateKey })
    for (const holder of holders) await author.dial(holder)
    const { address } = author.signing
    const issuedAt = Date.now()
    const about = { node: address, network: NETWORK, kinds: ['wasm'], hardware: '{}' }
    const { bytes } = author.signing.seal('Advert', {
      ...about,
      seq,
      issuedAt,
      expiresAt: issuedAt + 60_000,
    })
    await author.net.directory.advertise(bytes, [], never)
    return { peer: author.net.peer, bytes }
  }
  const { peer } = await tell(4, [first, second])
  const newer = await tell(9, [third])
  const seen: number[] = []
  const seeker = await open(true)
  const newest = seeker.presence.newest.bind(seeker.presence)
  seeker.presence.newest = (adverts) => {
    seen.push(adverts.length)
    return newest(adverts)
  }
  // old ones are not refused for being old: the choice alone decides
  seeker.presence.admit = (bytes) => seeker.signing.open('Advert', bytes).message
  for (const holder of [first, second, third]) await seeker.dial(holder)
  assert.deepEqual(await seeker.net.directory.advertOf(peer, never), new Uint8Array(newer.bytes))
  assert.ok(Math.max(...seen) >= 2, `chosen among ${seen.join(', ')}`)
})

test('capabilities: what a node does not have any more it stops announcing, also after a restart', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'hive-tags-'))
  t.after(() => rm(dir, { recursive: true }))
  const disk = { store: new MemoryStore(), dir }
  const privateKey = randomBytes(32)
  await using other = await openRealPresence()
  const life = async (kinds: string[], hardware: Partial<Hardware>) => {
    const node = await openRealPresence({ kinds, hardware, privateKey, disk })
    await node.dial(other)
    await node.presence.start()
    return node
  }
  {
    await using before = await life(['wasm', 'docker'], machine('eu-west', 24))
    await until(async () => holds(before, before, 'gpu.nvidia>=24'))
    await until(async () => holds(other, before, 'kind=docker'))
  }
  await using after = await life(['wasm'], { forJobs: TEST_HARDWARE.forJobs ?? FOR_JOBS })
  await until(async () => !(await holds(after, after, 'kind=docker')))
  for (const tag of ['gpu.nvidia>=24', 'region=eu', 'region=eu-west', 'gpu'])
    await until(async () => !(await holds(after, after, tag)))
  assert.ok(await holds(after, after, 'kind=wasm'))
})
