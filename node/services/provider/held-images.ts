import type { Bytes32, Cid } from '../../domain/ids.ts'
import { kindOfClass } from '../../domain/job-spec.ts'
import type { Offer } from '../../domain/offer.ts'
import { day } from '../../domain/units.ts'
import type { Blobs } from '../../ports/blobs.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Sandbox } from '../../ports/sandbox.ts'
import { cidDigest, cidsOf } from '../../protocol/cid.ts'
import { RecentMap } from './recent-map.ts'

export interface HeldImagesParts {
  readonly clock: Pick<Clock, 'now'>
  readonly blobs: Pick<Blobs, 'has'>
  readonly sandboxes: readonly Pick<Sandbox, 'kind' | 'holds'>[]
}

/** Images whose names are remembered, the latest first. */
const MAX_NAMES = 10_000
/** How long one is remembered that does not come again, ms. */
const KEEP_MS: number = 1 * day

/**
 * Knows which programs need not be fetched any more. An offer names an image by its hash alone, which does not say what is
 * under it; so content counts only of images that were brought since the node started, by the names they had then.
 */
export class HeldImages {
  readonly #parts: HeldImagesParts
  readonly #names = new RecentMap<Bytes32, Cid>({ keepMs: KEEP_MS, max: MAX_NAMES })

  constructor(parts: HeldImagesParts) {
    this.#parts = parts
  }

  /** An image that a share has brought. */
  note(image: Cid): void {
    this.#names.set(cidDigest(image), image, this.#parts.clock.now())
  }

  /** Whether an offer's image is here as a whole: in the sandbox that would run it, or as content. */
  async has(offer: Pick<Offer, 'class' | 'image'>): Promise<boolean> {
    const { blobs, sandboxes } = this.#parts
    const sandbox = sandboxes.find(({ kind }) => kind === kindOfClass(offer.class))
    if (cidsOf(offer.image).some((cid) => sandbox?.holds(cid))) return true
    const name = this.#names.get(offer.image)
    return name !== undefined && (await blobs.has(name))
  }
}
