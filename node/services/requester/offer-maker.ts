import type { Cid } from '../../domain/ids.ts'
import type { Offer } from '../../domain/offer.ts'
import { askOf } from '../../domain/offer-ask.ts'
import type { Clock } from '../../ports/clock.ts'
import { cidDigest } from '../../protocol/cid.ts'
import type { Signed } from '../../protocol/envelope.ts'
import { randomNonce } from '../../protocol/random.ts'
import type { Signing } from '../signing.ts'
import type { JobRequest } from './records.ts'

/** Makes the signed offers of one requester on one network. */
export class OfferMaker {
  readonly #parts: { readonly clock: Clock; readonly signing: Signing }
  readonly #network: string

  constructor(
    parts: { readonly clock: Clock; readonly signing: Signing },
    options: { readonly network: string },
  ) {
    this.#parts = parts
    this.#network = options.network
  }

  /** A fresh offer for `tasks` tasks of a job, open for the request's bid window from now. */
  make(request: JobRequest, specCid: Cid, tasks: number): Signed<'Offer'> {
    const { clock, signing } = this.#parts
    const now = clock.now()
    // Tasks that may not wait longer than that need no bids after it.
    const { bidWindowMs, timeouts: { queueMs = bidWindowMs } = {} } = request
    const message: Offer = {
      requester: signing.address,
      nonce: randomNonce(),
      network: this.#network,
      spec: cidDigest(specCid),
      ...askOf(request.spec, cidDigest(request.spec.image.cid)),
      tasks,
      maxPrice: request.maxPrice,
      issuedAt: now,
      bidsUntil: now + Math.min(bidWindowMs, queueMs),
    }
    return signing.seal('Offer', message)
  }
}
