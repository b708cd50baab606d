import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PeerId } from '../../../node/domain/ids.ts'
import {
  announcedTags,
  shardedTag,
  shardOfPeer,
  TAG_SHARDS,
} from '../../../node/protocol/capability-tags.ts'
import { searchCapable, type Announcements } from '../../../node/services/capability-search.ts'
import { seededSource } from '../../../scripts/sim/time/randomness.ts'
import { collect } from '../../support/collect.ts'
import { TEST_HARDWARE } from '../../support/test-market.ts'
import { testSigner } from '../../support/test-signer.ts'

const never = { signal: new AbortController().signal }
const PEERS = Array.from({ length: 200 }, (_, at) => testSigner(at + 1).peer)

/** A DHT of which each holder names all that it has, always in the same order, and that counts what it is asked. */
class Records implements Announcements {
  readonly asked: string[] = []
  readonly #held = new Map<string, PeerId[]>()

  tell(tag: string, peers: readonly PeerId[]): this {
    for (const peer of peers) {
      const key = shardedTag(tag, shardOfPeer(peer))
      this.#held.set(key, [...(this.#held.get(key) ?? []), peer])
    }
    return this
  }

  async *find(key: string): AsyncGenerator<PeerId> {
    this.asked.push(key)
    yield* this.#held.get(key) ?? []
  }
}

async function all(records: Records, ...groups: string[][]): Promise<PeerId[]> {
  return (await collect(searchCapable(records, groups, never))).flat()
}

test('tags: a node announces each of its own under the first bits of its point', () => {
  const [peer = ''] = PEERS
  const tags = announcedTags({ kinds: ['wasm', 'docker'], hardware: TEST_HARDWARE }, peer)
  assert.deepEqual(tags, [`kind=wasm/${shardOfPeer(peer)}`, `kind=docker/${shardOfPeer(peer)}`])
  assert.deepEqual(announcedTags({ kinds: [], hardware: TEST_HARDWARE }, peer), [])
})

test('tags: a common one is spread over as many keys as there are shards, evenly', () => {
  const counts = new Map<string, number>()
  for (const peer of PEERS) counts.set(shardOfPeer(peer), (counts.get(shardOfPeer(peer)) ?? 0) + 1)
  assert.equal(TAG_SHARDS.length, 16)
  assert.equal(counts.size, TAG_SHARDS.length)
  // five standard deviations of a binomial of that mean
  const mean = PEERS.length / TAG_SHARDS.length
  for (const count of counts.values()) assert.ok(Math.abs(count - mean) < 5 * Math.sqrt(mean))
})

test('a search finds everybody in a small network, each once', async () => {
  const few = PEERS.slice(0, 7)
  const records = new Records().tell('kind=wasm', few)
  const found = await all(records, ['kind=wasm'])
  assert.deepEqual(found.toSorted(), few.toSorted())
  assert.equal(records.asked.length, TAG_SHARDS.length)
})

test('where many have what is wanted, a few shards are enough, others each time', async () => {
  const shards = new Set<string>()
  for (let n = 0; n < 20; n++) {
    const records = new Records().tell('kind=wasm', PEERS)
    for await (const peers of searchCapable(records, [['kind=wasm']], never)) {
      assert.ok(peers.length > 20)
      break
    }
    assert.equal(records.asked.length, 4)
    for (const key of records.asked) shards.add(key)
  }
  assert.equal(shards.size, TAG_SHARDS.length)
})

test('whom a search finds first is chance, not the order of the records', async () => {
  const firsts = new Map<PeerId, number>()
  for (let n = 0; n < 400; n++) {
    const records = new Records().tell('kind=wasm', PEERS.slice(0, 40))
    for (const peer of (await all(records, ['kind=wasm'])).slice(0, 10))
      firsts.set(peer, (firsts.get(peer) ?? 0) + 1)
  }
  assert.equal(firsts.size, 40)
  for (const count of firsts.values()) assert.ok(count < 200, `${count} of 400`)
})

test('the same seed gives the same search', async () => {
  const run = async () => {
    using _source = seededSource(3)
    return await all(new Records().tell('kind=wasm', PEERS), ['kind=wasm'])
  }
  assert.deepEqual(await run(), await run())
})

test('of several tags the rarest decides whom to ask, and who has all of them comes first', async () => {
  const region = PEERS.filter((_, at) => at % 2 === 0)
  const gpus = PEERS.slice(0, 20)
  const records = new Records().tell('region=eu', region).tell('gpu.nvidia>=12', gpus)
  const both = new Set(gpus.filter((peer) => region.includes(peer)))
  const groups = [['gpu.nvidia>=12'], ['region=eu']]
  const batches = await collect(searchCapable(records, groups, never))
  const found = batches.flat()
  assert.ok(found.length <= gpus.length, 'not everybody of the region is asked')
  for (const peer of both) assert.ok(found.includes(peer))
  for (const batch of batches) {
    const flags = batch.map((peer) => both.has(peer))
    assert.deepEqual(
      flags,
      flags.toSorted((a, b) => Number(b) - Number(a)),
    )
  }
})

test('of a group of tags any one will do', async () => {
  const [a = '', b = '', c = ''] = PEERS
  const records = new Records().tell('gpu.nvidia', [a, b]).tell('gpu.amd', [b, c])
  const found = await all(records, ['gpu.nvidia', 'gpu.amd'])
  assert.deepEqual(found.toSorted(), [a, b, c].toSorted())
})

test('a holder that names nodes without end is not listened to for ever, and keys that are no account are left out', async () => {
  const stranger = '12D3KooWHHzSeKaY8xuZVzkLbKFfvNgPPeKhFBGrMbNzbm5akpqu'
  const endless: Announcements = {
    async *find() {
      yield stranger
      for (let at = 0; ; at++) yield PEERS[at % PEERS.length] ?? ''
    },
  }
  const found = (await collect(searchCapable(endless, [['gpu']], never))).flat()
  assert.deepEqual(found.toSorted(), [...new Set(found)].toSorted(), 'nobody twice')
  assert.ok(found.length > 0 && !found.includes(stranger))
})
