import { Type, type Static } from 'typebox'
import { MAX_IMAGE_LAYERS, MAX_IMAGE_MANIFEST_BYTES } from '../../protocol/limits.ts'
import { CidText, TimeMs } from './basics.ts'

const closed = { additionalProperties: false }
/** Longest note of where an image came from, characters. */
const MAX_SOURCE_CHARS = 500

const LayerBody = Type.Object(
  { cid: CidText, size: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }) },
  closed,
)

/** An image whose layers are on the node already. */
export const NewImageBody = Type.Object(
  {
    config: Type.String({
      maxLength: MAX_IMAGE_MANIFEST_BYTES,
      description: 'the image’s configuration, JSON in the OCI format',
    }),
    layers: Type.Array(LayerBody, { maxItems: MAX_IMAGE_LAYERS, description: 'bottom first' }),
    source: Type.Optional(
      Type.String({
        maxLength: MAX_SOURCE_CHARS,
        description: 'where it came from; given, the image is kept until it is removed',
      }),
    ),
  },
  closed,
)
export type NewImageBody = Static<typeof NewImageBody>

/** An image as content. */
export const ImageBody = Type.Object({
  cid: CidText,
  id: Type.String({ description: 'what an engine calls it; pins its content' }),
  size: Type.Integer(),
  layers: Type.Array(LayerBody),
  source: Type.Optional(Type.String()),
  addedAt: Type.Optional(TimeMs),
})
export type ImageBody = Static<typeof ImageBody>
