import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CID } from 'multiformats/cid'
import { HiveError } from '../../node/domain/errors.ts'
import type { PeerId } from '../../node/domain/ids.ts'
import { MiB } from '../../node/domain/units.ts'
import type { Blobs } from '../../node/ports/blobs.ts'
import { encodeCbor } from '../../node/protocol/cbor.ts'

const never = new AbortController().signal

/** Two nodes that can reach each other and share no storage. */
export interface TwoBlobs extends AsyncDisposable {
  readonly here: Blobs
  readonly there: Blobs
  /** Whom `here` asks for what `there` holds. */
  readonly therePeer: PeerId
}

/** Bytes in which no two chunks are alike. */
function someBytes(length: number): Uint8Array {
  const words = new Uint32Array(Math.ceil(length / 4))
  for (let at = 0; at < words.length; at += 1) words[at] = Math.imul(at + 1, 2654435761)
  return new Uint8Array(words.buffer, 0, length)
}

/** What every Blobs promises. */
export function blobsKeepTheirPromises(name: string, open: () => Promise<TwoBlobs>): void {
  for (const [size, length] of [
    ['empty', 0],
    ['one byte', 1],
    ['one chunk', MiB],
    ['several chunks', 3 * MiB + 17],
  ] as const) {
    test(`${name}: a file comes back as it was: ${size}`, async () => {
      await using two = await open()
      const bytes = someBytes(length)
      const cid = await two.here.add(bytes)
      assert.ok(
        Buffer.from(bytes).equals(await two.here.get(cid, { signal: never, maxBytes: length })),
      )
      assert.equal(await two.here.has(cid), true)
    })
  }

  test(`${name}: a sweep leaves what is kept, with all under it, and what was used lately`, async () => {
    await using two = await open()
    const [large, small, fresh] = [someBytes(3 * MiB + 17), someBytes(1000), someBytes(2000)]
    const [kept, loose] = [await two.here.add(large), await two.here.add(small)]
    // a disk dates its files by a coarser clock
    await new Promise((resolve) => setTimeout(resolve, 20))
    const unusedSince = Date.now()
    await new Promise((resolve) => setTimeout(resolve, 20))
    const recent = await two.here.add(fresh)
    const keep = async function* () {
      yield kept
    }
    const options = { keep: keep(), cacheBytes: 0, unusedSince, signal: never }
    const { blocks, bytes, leftBytes } = await two.here.sweep(options)
    assert.deepEqual([blocks, bytes], [1, small.byteLength])
    assert.ok(leftBytes >= large.byteLength + fresh.byteLength)
    assert.deepEqual(await Promise.all([kept, loose, recent].map((cid) => two.here.has(cid))), [
      true,
      false,
      true,
    ])
  })

  test(`${name}: what a block links to is under it: kept with it, and missed with it`, async () => {
    await using two = await open()
    const linked = await two.here.add(someBytes(1000))
    const block = await two.here.addBlock(encodeCbor({ deep: [{ link: CID.parse(linked) }] }))
    const dangling = encodeCbor({ link: CID.parse(await two.there.add(someBytes(2000))) })
    assert.equal(await two.here.has(block), true)
    assert.equal(await two.here.has(await two.here.addBlock(dangling)), false)
    const keep = async function* () {
      yield block
    }
    const options = { keep: keep(), cacheBytes: 0, unusedSince: Date.now() + 60_000 }
    const { blocks } = await two.here.sweep({ ...options, signal: never })
    assert.equal(blocks, 1)
    assert.equal(await two.here.has(block), true)
  })

  test(`${name}: a sweep takes the longest unused first, down to the cache's size`, async () => {
    await using two = await open()
    const [first, second, third] = [1000, 1001, 1002].map(someBytes)
    assert.ok(first !== undefined && second !== undefined && third !== undefined)
    const cids: string[] = []
    for (const bytes of [first, second, third]) {
      cids.push(await two.here.add(bytes))
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    // read again: now the second is the one unused for longest
    await two.here.get(cids[0] ?? '', { signal: never, maxBytes: 1000 })
    const keep = async function* () {}
    const unusedSince = Date.now() + 1000
    await two.here.sweep({ keep: keep(), cacheBytes: 2002, unusedSince, signal: never })
    assert.deepEqual(await Promise.all(cids.map((cid) => two.here.has(cid))), [true, false, true])
  })

  test(`${name}: the same bytes give the same CID on every node`, async () => {
    await using two = await open()
    const bytes = someBytes(2 * MiB)
    assert.equal(await two.here.add(bytes), await two.there.add(bytes))
  })

  test(`${name}: another node's file is fetched from it, and stays`, async () => {
    await using two = await open()
    const bytes = someBytes(3 * MiB)
    const cid = await two.there.add(bytes)
    assert.equal(await two.here.has(cid), false)
    const options = { signal: never, from: two.therePeer, maxBytes: bytes.length }
    assert.ok(Buffer.from(bytes).equals(await two.here.get(cid, options)))
    assert.equal(await two.here.has(cid), true)
  })

  test(`${name}: another node's file is found without being told where`, async () => {
    await using two = await open()
    const bytes = someBytes(MiB)
    const cid = await two.there.add(bytes)
    const found = await two.here.get(cid, { signal: never, maxBytes: bytes.length })
    assert.ok(Buffer.from(bytes).equals(found))
  })

  test(`${name}: a block's CID commits to its SHA-256, and it travels`, async () => {
    await using two = await open()
    const block = encodeCbor({ task: 1 })
    const cid = await two.there.addBlock(block)
    const options = { signal: never, from: two.therePeer, maxBytes: 100 }
    assert.deepEqual(await two.here.getBlock(cid, options), block)
    assert.equal(await two.here.addBlock(block), cid)
    assert.equal(await two.here.has(cid), true)
  })

  test(`${name}: more than maxBytes is CONTENT_TOO_LARGE, near and far`, async () => {
    await using two = await open()
    const bytes = someBytes(2 * MiB)
    const [near, far] = [await two.here.add(bytes), await two.there.add(someBytes(2 * MiB + 1))]
    const block = await two.here.addBlock(encodeCbor('x'.repeat(100)))
    const options = { signal: never, from: two.therePeer, maxBytes: 2 * MiB - 1 }
    await assert.rejects(two.here.get(near, options), { code: 'CONTENT_TOO_LARGE' })
    await assert.rejects(two.here.get(far, options), { code: 'CONTENT_TOO_LARGE' })
    await assert.rejects(two.here.getBlock(block, { signal: never, maxBytes: 100 }), {
      code: 'CONTENT_TOO_LARGE',
    })
  })

  test(`${name}: a block beyond 1 MiB is CONTENT_TOO_LARGE`, async () => {
    await using two = await open()
    await assert.rejects(two.here.addBlock(new Uint8Array(MiB + 1)), { code: 'CONTENT_TOO_LARGE' })
  })

  test(`${name}: content that nobody has is CONTENT_NOT_FOUND`, async () => {
    await using two = await open()
    const absent = 'bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy'
    const options = { signal: never, from: two.therePeer, maxBytes: 100 }
    await assert.rejects(two.here.get(absent, options), { code: 'CONTENT_NOT_FOUND' })
    assert.equal(await two.here.has(absent), false)
  })

  test(`${name}: what is no CID of ours is CONTENT_NOT_FOUND, at once`, async () => {
    await using two = await open()
    for (const cid of [
      'nonsense',
      // version 0
      'QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG',
      // identity hash: content that is its own name, of any size
      'bafkqabkbifaucqi',
      // blake2b-256
      'bafk2bzaceabqgaydambqgaydambqgaydambqgaydambqgaydambqgaydambqg',
    ]) {
      const options = { signal: never, maxBytes: 100 }
      await assert.rejects(two.here.get(cid, options), { code: 'CONTENT_NOT_FOUND' })
      await assert.rejects(two.here.getBlock(cid, options), { code: 'CONTENT_NOT_FOUND' })
      assert.equal(await two.here.has(cid), false)
    }
  })

  test(`${name}: a fetch that is given up ends as CANCELLED`, async () => {
    await using two = await open()
    const absent = 'bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy'
    const stop = new AbortController()
    const fetch = two.here.get(absent, { signal: stop.signal, maxBytes: 100 })
    stop.abort(new HiveError('JOB_CANCELLED'))
    await assert.rejects(fetch, { code: 'CANCELLED' })
  })

  test(`${name}: several fetches at once do not disturb each other`, async () => {
    await using two = await open()
    const files = [1, 2, 3, 4].map((n) => someBytes(n * 300_000 + n))
    const cids = await Promise.all(files.map((file) => two.there.add(file)))
    const options = { signal: never, from: two.therePeer, maxBytes: 2 * MiB }
    const fetched = await Promise.all(cids.map((cid) => two.here.get(cid, options)))
    fetched.forEach((bytes, at) => assert.ok(Buffer.from(bytes).equals(files[at] ?? bytes)))
  })
}
