import { ADVERT_VALIDITY_MS } from '../domain/advert.ts'
import { minute } from '../domain/units.ts'

/** How often others are asked while all is well, ms: the advert that they found last is stale by then. */
const EVERY_MS: number = ADVERT_VALIDITY_MS
/** How soon after they were asked something else is wrong or new that asks again, ms. */
const AGAIN_MS: number = 1 * minute

/**
 * When a node asks others whether they see it: each answer is a search in the DHT, so seldom while all is well, soon
 * after anything by which others find it has changed, and less and less often where asking has changed nothing.
 */
export class AskingTimes {
  #askedAt = -Infinity
  #restMs = 0
  /** How often in a row something was wrong. */
  #unwell = 0
  #way = ''

  /** `way`: how others come to the node, in any words. `now`: ms. */
  isDue(way: string, now: number): boolean {
    if (way !== this.#way) {
      this.#way = way
      this.#unwell = 0
      this.#restMs = Math.min(this.#restMs, AGAIN_MS)
    }
    return now >= this.#askedAt + this.#restMs
  }

  /** Notes that others were asked, and whether one that answered sees the node. `now`: ms. */
  note(isSeen: boolean, now: number): void {
    this.#askedAt = now
    this.#restMs = isSeen ? EVERY_MS : Math.min(EVERY_MS, AGAIN_MS * 2 ** this.#unwell)
    this.#unwell = isSeen ? 0 : this.#unwell + 1
  }
}
