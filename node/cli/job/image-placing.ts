import type { ImageBody } from '../../api/schemas/images.ts'
import type { JobRequestBody } from '../../api/schemas/job-request.ts'
import { HiveError } from '../../domain/errors.ts'
import { parseRegistryImage } from '../../domain/registry-image.ts'
import { rawCid } from '../../protocol/cid.ts'
import type { NodeClient } from '../node-client.ts'
import type { CliParts } from '../parts.ts'
import type { DraftProgram } from './draft.ts'
import { uploadImage } from './image-upload.ts'

/** What a spec says of its image, once providers can get it: from this node, or from its registry. */
export async function placeImage(
  { from, path, source }: DraftProgram,
  parts: Pick<CliParts, 'readImage' | 'cwd'>,
  client: NodeClient,
  signal: AbortSignal,
): Promise<Pick<JobRequestBody['spec'], 'image' | 'repository'>> {
  if (from === 'registry') {
    const pinned = parseRegistryImage(source)
    if (pinned === undefined) throw new HiveError('INTERNAL', { expected: 'a digest' })
    const repository = `${pinned.registry}/${pinned.name}`
    // what it brings is known to its registry alone
    return { image: { path, cid: rawCid(`0x${pinned.sha256}`), size: 0 }, repository }
  }
  const { cid, size } =
    from === 'content'
      ? await client.get<ImageBody>(`/v1/images/${source}`, { signal })
      : await uploadImage(
          await parts.readImage({ source, cwd: parts.cwd, changes: {}, signal }),
          client,
          { signal },
        )
  return { image: { path, cid, size } }
}
