import assert from 'node:assert/strict'
import { test } from 'node:test'
import { blockCid, cidDigest } from '../../../node/protocol/cid.ts'
import { holdsImage } from '../../../node/services/provider/held-image.ts'
import { FakeBlobs } from '../../support/fake-blobs.ts'
import { bytes32Of, SOME_CID } from '../../support/messages.ts'

const nothing = { kind: 'wasm', holds: () => false } as const
const held = (cid: string) => ({ holds: (id: string) => id === cid })

test('an image is held by the sandbox that would run it, whatever the content store has', async () => {
  const blobs = new FakeBlobs()
  const offer = { class: 'docker@registry.example', image: cidDigest(SOME_CID) }
  const inDocker = [nothing, { kind: 'docker', ...held(SOME_CID) } as const]
  assert.equal(await holdsImage({ blobs, sandboxes: inDocker }, offer), true)
  const elsewhere = [nothing, { kind: 'wasm', ...held(SOME_CID) } as const]
  assert.equal(await holdsImage({ blobs, sandboxes: elsewhere }, offer), false)
})

test('an image is held as content: a file, or a manifest with all its layers', async () => {
  const blobs = new FakeBlobs()
  const file = await blobs.add(new Uint8Array([1, 2, 3]))
  const manifest = await blobs.addBlock(new Uint8Array([0xa0]))
  const isHeld = async (image: `0x${string}`) =>
    holdsImage({ blobs, sandboxes: [nothing] }, { class: 'wasm', image })
  assert.equal(await isHeld(cidDigest(file)), true)
  assert.equal(manifest, blockCid(cidDigest(manifest)))
  assert.equal(await isHeld(cidDigest(manifest)), true)
  assert.equal(await isHeld(bytes32Of('77')), false)
})
