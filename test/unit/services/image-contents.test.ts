import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { InputFile, JobSpec } from '../../../node/domain/job-spec.ts'
import type { LayeredProgram } from '../../../node/ports/sandbox.ts'
import { isBlockCid } from '../../../node/protocol/cid.ts'
import { encodeImageManifest } from '../../../node/protocol/image-manifest.ts'
import { Contents } from '../../../node/services/provider/contents.ts'
import { FakeBlobs, type FakeContentNetwork } from '../../support/fake-blobs.ts'
import { addImage } from '../../support/image-content.ts'

const { signal } = new AbortController()
const CONFIG = Buffer.from('{}')
const layer = (fill: number, bytes = 1000) => new Uint8Array(bytes).fill(fill)

function specOf(image: InputFile): JobSpec {
  return { kind: 'docker', image, files: [], inputs: [] } as unknown as JobSpec
}

/** Content of a requester, and of a provider that notes which files it has to fetch. */
function twoNodes() {
  const network: FakeContentNetwork = new Map()
  const there = new FakeBlobs(network, 'requester')
  const here = new FakeBlobs(network, 'provider')
  const fetched: string[] = []
  const get = here.get.bind(here)
  here.get = async (cid, options) => {
    if (!isBlockCid(cid) && !(await here.has(cid))) fetched.push(cid)
    return get(cid, options)
  }
  return { there, here, fetched, contents: () => new Contents(here, 'requester') }
}

test('layers that two images have in common are fetched once', async () => {
  const { there, fetched, contents } = twoNodes()
  const base = layer(1, 5000)
  const first = await addImage(there, CONFIG, [base, layer(2)])
  const second = await addImage(there, CONFIG, [base, layer(3)])
  await contents().bringImage(specOf(first), signal)
  assert.equal(fetched.length, 2)
  await contents().bringImage(specOf(second), signal)
  const own = await there.add(layer(3))
  assert.deepEqual(fetched.slice(2), [own])
  await contents().bringImage(specOf(second), signal)
  assert.equal(fetched.length, 3)
})

test('a layered image gives its layers one by one, in order, as often as asked', async () => {
  const { there, contents } = twoNodes()
  const spec = specOf(await addImage(there, CONFIG, [layer(1), layer(2), layer(1)]))
  const { config, layers } = (await contents().image(spec, signal)) as LayeredProgram
  assert.deepEqual(Buffer.from(config), CONFIG)
  for (const [at, fill] of [1, 2, 1].entries()) {
    assert.deepEqual(await layers[at]?.(), layer(fill))
    assert.deepEqual(await layers[at]?.(), layer(fill))
  }
})

test('a plain archive is one file, as a module is', async () => {
  const { there, contents } = twoNodes()
  const cid = await there.add(layer(9))
  const spec = specOf({ path: '/image', cid, size: 1000 })
  assert.deepEqual(await contents().image(spec, signal), layer(9))
})

test('an image is no larger than its spec says, since that is what the provider has room for', async () => {
  const { there, contents } = twoNodes()
  const image = await addImage(there, CONFIG, [layer(1)])
  const spec = specOf({ ...image, size: image.size - 1 })
  await assert.rejects(contents().bringImage(spec, signal), { code: 'IMAGE_INVALID' })
})

for (const [what, size] of [
  ['more', 999],
  ['less', 1001],
] as const) {
  test(`a layer of ${what} bytes than its manifest says is no image`, async () => {
    const { there, contents } = twoNodes()
    const layers = [{ cid: await there.add(layer(1)), size }]
    const cid = await there.addBlock(encodeImageManifest({ config: CONFIG, layers }))
    const spec = specOf({ path: '/image', cid, size: 10_000 })
    await assert.rejects(contents().bringImage(spec, signal), { code: 'IMAGE_INVALID' })
  })
}

test('a block that is no manifest is no image; a layer that nobody has is content not found', async () => {
  const { there, contents } = twoNodes()
  const cid = await there.addBlock(Uint8Array.of(0xa0))
  const spec = specOf({ path: '/image', cid, size: 10_000 })
  await assert.rejects(contents().image(spec, signal), { code: 'IMAGE_INVALID' })
  const elsewhere = await new FakeBlobs().add(layer(1))
  const layers = [{ cid: elsewhere, size: 1000 }]
  const lost = await there.addBlock(encodeImageManifest({ config: CONFIG, layers }))
  const lostSpec = specOf({ path: '/image', cid: lost, size: 10_000 })
  await assert.rejects(contents().bringImage(lostSpec, signal), { code: 'CONTENT_NOT_FOUND' })
})

test('an image that was refused is not fetched again for the tasks that follow', async () => {
  const { there, fetched, contents } = twoNodes()
  const spec = specOf(await addImage(there, CONFIG, [layer(1)]))
  const own = contents()
  await own.bringImage(spec, signal)
  own.refuseImage(new RangeError('bad'))
  await assert.rejects(own.image(spec, signal), RangeError)
  assert.equal(fetched.length, 1)
})
