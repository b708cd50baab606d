import { kindOfClass } from '../../domain/job-spec.ts'
import type { Offer } from '../../domain/offer.ts'
import type { Blobs } from '../../ports/blobs.ts'
import type { Sandbox } from '../../ports/sandbox.ts'
import { cidsOf } from '../../protocol/cid.ts'

/** Where a program may lie. */
export interface ImageHolders {
  readonly blobs: Pick<Blobs, 'has'>
  readonly sandboxes: readonly Pick<Sandbox, 'kind' | 'holds'>[]
}

/** Whether an offer's program is on this node as a whole: in the sandbox that would run it, or as content. */
export async function holdsImage(
  { blobs, sandboxes }: ImageHolders,
  offer: Pick<Offer, 'class' | 'image'>,
): Promise<boolean> {
  const sandbox = sandboxes.find(({ kind }) => kind === kindOfClass(offer.class))
  const cids = cidsOf(offer.image)
  if (cids.some((cid) => sandbox?.holds(cid))) return true
  for (const cid of cids) if (await blobs.has(cid)) return true
  return false
}
