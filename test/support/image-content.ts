import type { InputFile } from '../../node/domain/job-spec.ts'
import type { Blobs } from '../../node/ports/blobs.ts'
import { encodeImageManifest, imageBytesOf } from '../../node/protocol/image-manifest.ts'

/** An image of these layers as content of a node, and what a spec says of it. */
export async function addImage(
  blobs: Blobs,
  config: Uint8Array,
  layers: readonly Uint8Array[],
): Promise<InputFile> {
  const stored = []
  for (const bytes of layers) stored.push({ cid: await blobs.add(bytes), size: bytes.byteLength })
  const manifest = { config, layers: stored }
  const cid = await blobs.addBlock(encodeImageManifest(manifest))
  return { path: '/image', cid, size: imageBytesOf(manifest) }
}
