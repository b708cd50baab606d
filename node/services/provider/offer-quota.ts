import type { Address } from '../../domain/ids.ts'
import { minute } from '../../domain/units.ts'
import { MAX_COUNTED_REQUESTERS, MAX_OFFERS_PER_MINUTE } from './intake-limits.ts'
import { RecentMap } from './recent-map.ts'

interface Counted {
  /** Unix ms. */
  readonly since: number
  count: number
}

/** Counts each requester's offers, by the minute that starts with its first. */
export class OfferQuota {
  readonly #counts = new RecentMap<Address, Counted>({
    keepMs: minute,
    max: MAX_COUNTED_REQUESTERS,
  })

  /** Counts one offer at `now`, Unix ms; false when its requester has had its share. */
  take(requester: Address, now: number): boolean {
    const counted = this.#counts.get(requester)
    if (counted === undefined || now - counted.since >= minute) {
      this.#counts.set(requester, { since: now, count: 1 }, now)
      return true
    }
    counted.count += 1
    return counted.count <= MAX_OFFERS_PER_MINUTE
  }
}
