import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { openHeliaBlobs } from '../../node/adapters/ipfs/helia-blobs.ts'
import { MiB } from '../../node/domain/units.ts'
import { quietLogger } from '../support/quiet-logger.ts'
import { type ContentNode, openRealBlobs } from '../support/real-blobs.ts'

const never = new AbortController().signal

function three(nodes: readonly ContentNode[]): [ContentNode, ContentNode, ContentNode] {
  const [a, b, c] = nodes
  assert.ok(a !== undefined && b !== undefined && c !== undefined)
  return [a, b, c]
}

test('content: a block damaged on the disk is fetched again from who has it', async () => {
  await using opened = await openRealBlobs(3)
  const [here, there] = three(opened.nodes)
  const bytes = randomBytes(2 * MiB)
  const cid = await here.blobs.add(bytes)
  await there.blobs.add(bytes)
  const files = (await readdir(here.blocksDir, { recursive: true })).filter((name) =>
    name.endsWith('.data'),
  )
  for (const file of files) await writeFile(join(here.blocksDir, file), 'damaged')
  assert.equal(await here.blobs.has(cid), false)
  const options = { signal: never, from: there.net.peer, maxBytes: bytes.length }
  assert.ok(bytes.equals(await here.blobs.get(cid, options)))
  assert.equal(await here.blobs.has(cid), true)
})

test('content: a hint that names a peer without it, or gone, does not keep from another', async () => {
  await using opened = await openRealBlobs(3)
  const [here, empty, full] = three(opened.nodes)
  const bytes = randomBytes(2 * MiB)
  const cid = await full.blobs.add(bytes)
  const options = { signal: never, from: empty.net.peer, maxBytes: bytes.length }
  assert.ok(bytes.equals(await here.blobs.get(cid, options)))
  const other = randomBytes(MiB)
  const second = await full.blobs.add(other)
  await empty.net.libp2p.stop()
  assert.ok(other.equals(await here.blobs.get(second, { ...options, maxBytes: MiB })))
})

test('content: a provider that stops in the middle is replaced by another', async () => {
  await using opened = await openRealBlobs(3)
  const [here, first, second] = three(opened.nodes)
  const bytes = randomBytes(24 * MiB)
  const cid = await first.blobs.add(bytes)
  await second.blobs.add(bytes)
  const fetched = here.blobs.get(cid, {
    signal: never,
    from: first.net.peer,
    maxBytes: bytes.length,
  })
  // some blocks have come, others have not
  while ((await readdir(here.blocksDir, { recursive: true })).length < 4);
  await first.net.libp2p.stop()
  assert.ok(bytes.equals(await fetched))
})

test('content: what was announced is found through the DHT by a node not connected', async () => {
  await using opened = await openRealBlobs(3, { announce: true, stallMs: 2000 })
  const [here, middle, there] = three(opened.nodes)
  await here.net.libp2p.hangUp(there.net.libp2p.peerId)
  const bytes = randomBytes(MiB)
  const cid = await there.blobs.add(bytes)
  const announced = async (): Promise<boolean> => {
    const { contentRouting } = middle.net.libp2p
    const { CID } = await import('multiformats/cid')
    for await (const { id } of contentRouting.findProviders(CID.parse(cid))) {
      if (id.equals(there.net.libp2p.peerId)) return true
    }
    return false
  }
  while (!(await announced()));
  const fetched = await here.blobs.get(cid, { signal: never, maxBytes: bytes.length })
  assert.ok(bytes.equals(fetched))
})

test('content: ends without its node, which goes on', async () => {
  await using opened = await openRealBlobs(3)
  const [here, there] = three(opened.nodes)
  const parts = { libp2p: here.net.libp2p, logger: quietLogger() }
  await here.blobs[Symbol.asyncDispose]()
  assert.equal(here.net.libp2p.status, 'started')
  await using again = await openHeliaBlobs(parts, { blocksDir: here.blocksDir })
  const cid = await again.add(randomBytes(10))
  const options = { signal: never, from: here.net.peer, maxBytes: 10 }
  assert.equal((await there.blobs.get(cid, options)).byteLength, 10)
})

test('content: disposal ends a fetch that waits', async () => {
  await using opened = await openRealBlobs(3, { stallMs: 60_000 })
  const [here] = three(opened.nodes)
  const absent = 'bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy'
  const waiting = assert.rejects(here.blobs.get(absent, { signal: never, maxBytes: 10 }), {
    code: 'CANCELLED',
  })
  await here.blobs[Symbol.asyncDispose]()
  await waiting
})
