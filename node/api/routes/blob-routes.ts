import { Type } from 'typebox'
import { CONTENT_TIMEOUT_MS, MAX_IMAGE_BYTES } from '../../protocol/limits.ts'
import { signalOf, type App } from '../app.ts'
import type { RouteContext } from '../api-parts.ts'
import { CidText } from '../schemas/basics.ts'

const BYTES = 'application/octet-stream'
const StoredBody = Type.Object({ cid: CidText, size: Type.Integer() })

/** Bytes in and out of the node's content store. */
export function blobRoutes(app: App, { blobs, stop }: RouteContext): void {
  app.addContentTypeParser(BYTES, { parseAs: 'buffer' }, (_request, body, done) => {
    done(null, body)
  })

  app.post(
    '/v1/blobs',
    {
      bodyLimit: MAX_IMAGE_BYTES,
      schema: {
        summary: 'Stores the raw bytes of the body',
        consumes: [BYTES],
        response: { 201: StoredBody },
      },
    },
    async (request, reply) => {
      // No body at all is an empty file.
      const bytes = request.body instanceof Uint8Array ? request.body : new Uint8Array()
      return reply.code(201).send({ cid: await blobs.add(bytes), size: bytes.byteLength })
    },
  )

  app.get(
    '/v1/blobs/:cid',
    {
      schema: {
        summary: 'The bytes of a file, from this node or from the network',
        params: Type.Object({ cid: CidText }),
      },
    },
    async ({ params }, reply) => {
      const signal = AbortSignal.any([
        signalOf(reply, stop),
        AbortSignal.timeout(CONTENT_TIMEOUT_MS),
      ])
      const bytes = await blobs.get(params.cid, { maxBytes: MAX_IMAGE_BYTES, signal })
      return reply.type(BYTES).send(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))
    },
  )
}
