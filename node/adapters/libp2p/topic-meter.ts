import type { PeerId } from '../../domain/ids.ts'
import { minute } from '../../domain/units.ts'

/** What to do with one more message on a topic. */
type Flow = 'take' | 'drop' | 'flood'

/**
 * How many times what a node takes of a topic one peer may send it: an honest one passes on only what it took
 * itself, but its minute begins at another time.
 */
const SENDER_MARGIN = 2
/** What of it one peer may fill, so that it shuts out nobody before it is at fault. */
const SENDER_PART = 0.5

/** Counts what comes on one topic by the minute. Each node takes so many, so who sends far more passes on what it should not have taken. */
export class TopicMeter {
  readonly #perMinute: number
  #since = -Infinity
  #taken = 0
  #bySender = new Map<PeerId, number>()

  constructor(perMinute: number) {
    this.#perMinute = perMinute
  }

  /** Counts one message at `now`, Unix ms. */
  take(sender: PeerId, now: number): Flow {
    if (now - this.#since >= minute) {
      this.#since = now
      this.#taken = 0
      this.#bySender = new Map()
    }
    const sent = (this.#bySender.get(sender) ?? 0) + 1
    this.#bySender.set(sender, sent)
    if (sent > SENDER_MARGIN * this.#perMinute) return 'flood'
    if (sent > SENDER_PART * this.#perMinute || this.#taken >= this.#perMinute) return 'drop'
    this.#taken += 1
    return 'take'
  }
}
