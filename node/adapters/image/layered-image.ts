import { createHash } from 'node:crypto'
import { HiveError } from '../../domain/errors.ts'
import { MAX_IMAGE_BYTES } from '../../protocol/limits.ts'
import type { LayeredProgram } from '../../ports/sandbox.ts'
import { readJson } from './archive-files.ts'
import { decodeImageConfig, encodeImageConfig } from './image-config.ts'
import { layerDigest } from './layer-digest.ts'
import { layerTree, MAX_ENTRIES } from './layer-tree.ts'

/** A layer in memory, or how to get it there once more. */
export type LayerSource = Uint8Array | (() => Promise<Uint8Array>)

/** An image that is safe to hand to an engine, once each of its layers was got without a refusal. */
export interface LayeredImage {
  /** `sha256:<hex>` of `config`; pins the layers through their digests. */
  readonly id: string
  readonly config: Uint8Array
  /** Uncompressed layer archives, bottom first. Getting one throws IMAGE_INVALID when it breaks a rule. */
  readonly layers: readonly LayerSource[]
}

/** The bytes of a layer. */
export async function bytesOfLayer(layer: LayerSource): Promise<Uint8Array> {
  return layer instanceof Uint8Array ? layer : await layer()
}

/**
 * Makes of a stranger's program an image whose configuration is written anew and whose layers are checked as they
 * are asked for: each must match its digest and hold only what stays inside. Together they count against `maxBytes`.
 * @throws HiveError IMAGE_INVALID with the broken rule
 */
export function admitLayers(
  program: LayeredProgram,
  maxBytes: number = MAX_IMAGE_BYTES,
): LayeredImage {
  const config = decodeImageConfig(readJson(program.config))
  if (config.diffIds.length !== program.layers.length) throw refused('one digest for each layer')
  const checked: { readonly bytes: number; readonly entries: number }[] = []
  const layers = program.layers.map((load, at) => async () => {
    const layer = await load()
    if ((await layerDigest(layer)) !== config.diffIds[at])
      throw refused('a layer does not match its digest')
    checked[at] = { bytes: layer.byteLength, entries: layerTree(layer).entries }
    const sum = (key: 'bytes' | 'entries') => checked.reduce((all, each) => all + each[key], 0)
    if (sum('bytes') > maxBytes) throw refused('the image is too large')
    if (sum('entries') > MAX_ENTRIES) throw refused('the image has too many files')
    return layer
  })
  const bytes = encodeImageConfig(config)
  return { id: `sha256:${createHash('sha256').update(bytes).digest('hex')}`, config: bytes, layers }
}

function refused(rule: string): HiveError {
  return new HiveError('IMAGE_INVALID', { rule })
}
