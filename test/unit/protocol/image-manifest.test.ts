import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CID } from 'multiformats/cid'
import { encodeCbor } from '../../../node/protocol/cbor.ts'
import { blockCid } from '../../../node/protocol/cid.ts'
import { linksOfBlock } from '../../../node/protocol/block-links.ts'
import {
  decodeImageManifest,
  encodeImageManifest,
  imageBytesOf,
  type ImageManifest,
} from '../../../node/protocol/image-manifest.ts'
import { MAX_IMAGE_BYTES, MAX_IMAGE_LAYERS } from '../../../node/protocol/limits.ts'

const [one, two] = [blockCid(`0x${'01'.repeat(32)}`), blockCid(`0x${'02'.repeat(32)}`)]
const CONFIG = new TextEncoder().encode('{}')

function aManifest(layers: ImageManifest['layers']): ImageManifest {
  return { config: CONFIG, layers }
}

test('a manifest comes back as it was, and its layers are links', () => {
  const manifest = aManifest([
    { cid: one, size: 5 },
    { cid: two, size: 7 },
    { cid: one, size: 5 },
  ])
  const block = encodeImageManifest(manifest)
  assert.deepEqual(decodeImageManifest(block), manifest)
  assert.deepEqual(linksOfBlock(block), [one, two, one])
  assert.equal(imageBytesOf(manifest), 19)
})

const HOSTILE: Readonly<Record<string, () => Uint8Array>> = {
  'more layers than any engine takes': () => {
    const layers = Array.from({ length: MAX_IMAGE_LAYERS + 1 }, () => ({
      cid: CID.parse(one),
      size: 1,
    }))
    return encodeCbor({ config: CONFIG, layers })
  },
  'layers that are too large together, though each is not': () => {
    const layers = [1, 2].map(() => ({ cid: CID.parse(one), size: MAX_IMAGE_BYTES / 2 }))
    return encodeCbor({ config: CONFIG, layers })
  },
  'a negative size': () =>
    encodeCbor({ config: CONFIG, layers: [{ cid: CID.parse(one), size: -1 }] }),
  'a layer that is text, which nobody would keep': () =>
    encodeCbor({ config: CONFIG, layers: [{ cid: one, size: 1 }] }),
  'more than a manifest says': () => encodeCbor({ config: CONFIG, layers: [], tag: 'busybox' }),
  'a configuration as large as a layer': () =>
    encodeCbor({ config: new Uint8Array(300_000), layers: [] }),
}

for (const [what, block] of Object.entries(HOSTILE)) {
  test(`refused: ${what}`, () => {
    assert.throws(() => decodeImageManifest(block()), { code: /^MESSAGE_/ })
  })
}
