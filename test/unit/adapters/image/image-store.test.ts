import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { composeImage, imageArchive } from '../../../../node/adapters/image/image-archive.ts'
import { ImageStore } from '../../../../node/adapters/image/image-store.ts'
import { layerDigest } from '../../../../node/adapters/image/layer-digest.ts'
import { MiB } from '../../../../node/domain/units.ts'
import type { SandboxImage } from '../../../../node/ports/sandbox.ts'

function archiveOf(name: string): Uint8Array {
  const members = [{ path: name, bytes: Buffer.from(name) }]
  return Buffer.concat([...imageArchive(composeImage({ architecture: 'amd64', members }))])
}

function anImage(name: string, load = async () => archiveOf(name)): SandboxImage {
  return { id: name, load }
}

/** A shelf that takes images in when it is told to. */
function slowShelf() {
  const under: (() => void)[] = []
  let most = 0
  const put = async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    under.push(resolve)
    most = Math.max(most, under.length)
    await promise
  }
  const finishOne = () => under.shift()?.()
  return { put, drop: async () => undefined, finishOne, under, most: () => most }
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await turn()
}

test('images are taken in two at a time, however many are wanted, and each gets its turn', async () => {
  const shelf = slowShelf()
  const store = new ImageStore({ shelf }, { capacity: 10 })
  const names = ['a', 'b', 'c', 'd', 'e']
  const all = Promise.all(names.map(async (name) => store.ensure(anImage(name))))
  for (const _ of names) {
    await until(() => shelf.under.length > 0)
    for (let look = 0; look < 20; look++) await turn()
    shelf.finishOne()
  }
  assert.equal(new Set(await all).size, names.length)
  assert.equal(shelf.most(), 2)
})

test('an image that does not come, or is refused, keeps no other from its turn', async () => {
  const store = new ImageStore(
    { shelf: { put: async () => undefined, drop: async () => undefined } },
    { capacity: 10 },
  )
  const never = new Promise<Uint8Array>(() => undefined)
  for (const name of ['x', 'y', 'z']) void store.ensure(anImage(name, () => never))
  for (const name of ['bad', 'worse', 'worst']) {
    const garbage = anImage(name, async () => new Uint8Array(600).fill(7))
    await assert.rejects(store.ensure(garbage), { code: 'IMAGE_INVALID' })
  }
  await store.ensure(anImage('good'))
  assert.equal(store.holds('good'), true)
})

test('a large layer is hashed in pieces, and other work goes on between them', async () => {
  const layer = new Uint8Array(20 * MiB).fill(1)
  let turns = 0
  let isOver = false
  const counting = (async () => {
    while (!isOver) {
      await turn()
      turns++
    }
  })()
  const digest = await layerDigest(layer)
  isOver = true
  await counting
  assert.ok(turns >= 2, `${turns} turns`)
  assert.equal(digest, await layerDigest(layer.slice()))
  const empty = 'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
  assert.equal(await layerDigest(new Uint8Array()), empty)
})
