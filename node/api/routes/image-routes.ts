import { Type } from 'typebox'
import { CONTENT_TIMEOUT_MS } from '../../protocol/limits.ts'
import type { StoredImage } from '../../services/image-book.ts'
import { signalOf, type App } from '../app.ts'
import type { RouteContext } from '../api-parts.ts'
import { CidText } from '../schemas/basics.ts'
import { ImageBody, NewImageBody } from '../schemas/images.ts'

const CidParams = Type.Object({ cid: CidText })

/** Images that jobs name by their CID. */
export function imageRoutes(app: App, { images, stop }: RouteContext): void {
  app.post(
    '/v1/images',
    {
      schema: {
        summary: 'Makes an image of layers that were stored as blobs',
        body: NewImageBody,
        response: { 201: ImageBody },
      },
    },
    async ({ body }, reply) => {
      const { config, layers, source } = body
      const image = await images.store({ config: new TextEncoder().encode(config), layers })
      return reply
        .code(201)
        .send(view(source === undefined ? image : await images.keep(image, source)))
    },
  )

  app.get(
    '/v1/images',
    {
      schema: {
        summary: 'The images that this node keeps, the newest first',
        response: { 200: Type.Object({ images: Type.Array(ImageBody) }) },
      },
    },
    async () => ({ images: (await images.list()).map(view) }),
  )

  app.get(
    '/v1/images/:cid',
    {
      schema: {
        summary: 'One image by its CID, from this node or from the network',
        params: CidParams,
        response: { 200: ImageBody },
      },
    },
    async ({ params }, reply) => {
      const late = AbortSignal.timeout(CONTENT_TIMEOUT_MS)
      const signal = AbortSignal.any([signalOf(reply, stop), late])
      return view(await images.find(params.cid, signal))
    },
  )

  app.delete(
    '/v1/images/:cid',
    { schema: { summary: 'Keeps an image no longer', params: CidParams } },
    async ({ params }, reply) => {
      await images.remove(params.cid)
      return reply.code(204).send()
    },
  )
}

function view(image: StoredImage): ImageBody {
  return { ...image, layers: [...image.layers] }
}
