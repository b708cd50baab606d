import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cidDigest } from '../../../node/protocol/cid.ts'
import { HeldImages, type HeldImagesParts } from '../../../node/services/provider/held-images.ts'
import { FakeBlobs } from '../../support/fake-blobs.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { SOME_CID } from '../../support/messages.ts'

const clock = new ManualClock()
const sandbox = (kind: 'wasm' | 'docker', ...images: string[]) => ({
  kind,
  holds: (id: string) => images.includes(id),
})
const imagesWith = (sandboxes: HeldImagesParts['sandboxes'], blobs = new FakeBlobs()) =>
  new HeldImages({ clock, blobs, sandboxes })

test('an image is held by the sandbox that would run it, whatever the content store has', async () => {
  const offer = { class: 'docker@registry.example', image: cidDigest(SOME_CID) }
  const here = imagesWith([sandbox('wasm'), sandbox('docker', SOME_CID)])
  assert.equal(await here.has(offer), true)
  const elsewhere = imagesWith([sandbox('wasm', SOME_CID), sandbox('docker')])
  assert.equal(await elsewhere.has(offer), false)
})

test('an image that was brought is held for as long as its content is there as a whole', async () => {
  const blobs = new FakeBlobs()
  const images = imagesWith([sandbox('wasm')], blobs)
  const cid = await blobs.add(new Uint8Array([1, 2, 3]))
  const offer = { class: 'wasm', image: cidDigest(cid) }
  assert.equal(await images.has(offer), false)
  images.note(cid)
  assert.equal(await images.has(offer), true)
  const nothing = { keep: (async function* () {})(), cacheBytes: 0, unusedSince: Infinity }
  await blobs.sweep({ ...nothing, signal: new AbortController().signal })
  assert.equal(await images.has(offer), false)
})
