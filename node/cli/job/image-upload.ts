import type { ImageBody } from '../../api/schemas/images.ts'
import type { NodeClient } from '../node-client.ts'
import type { ReadImage } from '../parts.ts'

/** Puts an image on the node, layer by layer; with `source` the node keeps it until it is told to let it go. */
export async function uploadImage(
  image: ReadImage,
  client: NodeClient,
  options: { readonly signal: AbortSignal; readonly source?: string },
): Promise<ImageBody> {
  const { signal, source } = options
  const layers: { readonly cid: string; readonly size: number }[] = []
  for (const layer of image.layers) layers.push(await client.upload(await layer(), { signal }))
  const config = new TextDecoder().decode(image.config)
  const body = { config, layers, ...(source !== undefined && { source }) }
  return await client.post<ImageBody>('/v1/images', body, { signal })
}
