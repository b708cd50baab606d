import { codeOf } from '../../domain/errors.ts'
import type { PeerId } from '../../domain/ids.ts'
import { offerTags } from '../../domain/machine-need.ts'
import { minute } from '../../domain/units.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Logger } from '../../ports/logger.ts'
import type { Requests } from '../../ports/requests.ts'
import { allEnded } from '../all-ended.ts'
import { searchCapable, type Announcements } from '../capability-search.ts'
import { mapLimited } from '../limited.ts'
import type { OpenOffer } from './open-offer.ts'

export interface DirectOffersParts {
  readonly clock: Clock
  readonly requests: Pick<Requests, 'call'>
  readonly logger: Logger
  readonly directory?: Announcements
}

/** Most nodes found in the DHT that one offer is sent to. Source: docs/protocol/offers.md, Direct offers. */
const MAX_FOUND = 20
/** How long a search that brought nobody whom gossip had not reached is not repeated, ms. */
const SEARCH_AGAIN_MS: number = 1 * minute
/** Kinds of search of which that is remembered; the one noted longest ago gives way. */
const MAX_NOTED = 100
/** Nodes that an offer is sent to at a time: each may have to be dialled. */
const SEND_LANES = 8

/** Sends offers to nodes one by one, past the mesh. */
export class DirectOffers {
  readonly #parts: DirectOffersParts
  /** When a search brought nobody new, Unix ms. */
  readonly #vain = new Map<string, number>()

  constructor(parts: DirectOffersParts) {
    this.#parts = parts
  }

  /** Sends an offer to these nodes; those that did not take it count as not asked. */
  async send(open: OpenOffer, peers: readonly PeerId[], signal: AbortSignal): Promise<void> {
    const { requests, logger } = this.#parts
    await mapLimited(peers, SEND_LANES, async (peer) => {
      if (open.heard.has(peer) || signal.aborted) return
      // before its answer can come, which may be sooner than that of the call
      open.heard.add(peer)
      try {
        await requests.call(peer, 'offer', open.offer.bytes, { signal })
      } catch (error) {
        logger.debug('offer not taken', { peer, code: codeOf(error) })
        if (!open.bids.has(peer) && !open.declines.has(peer)) open.heard.delete(peer)
        open.changed()
      }
    })
  }

  /**
   * Looks in the DHT for nodes that could take an offer and have not heard it, and sends it to a random few of them.
   * Not again so soon where the last such search found nobody new, unless gossip reached nobody at all.
   */
  async seek(open: OpenOffer, signal: AbortSignal): Promise<void> {
    const { clock, directory, logger } = this.#parts
    if (directory === undefined) return
    const tags = offerTags(open.offer.message)
    const search = tags.join(' ')
    if (open.heard.size > 0 && clock.now() < (this.#vain.get(search) ?? 0) + SEARCH_AGAIN_MS) return
    const sending: Promise<void>[] = []
    const heard = new Set(open.heard)
    let sent = 0
    try {
      for await (const peers of searchCapable(directory, [tags], { signal })) {
        const chosen = peers.filter((peer) => !heard.has(peer)).slice(0, MAX_FOUND - sent)
        sent += chosen.length
        sending.push(this.send(open, chosen, signal))
        if (sent >= MAX_FOUND) break
      }
    } catch (error) {
      // bidding is over: what was found so far is asked
      logger.debug('search for providers ended', { code: codeOf(error) })
    } finally {
      this.#note(search, sent === 0)
      await allEnded(sending)
    }
  }

  #note(search: string, isVain: boolean): void {
    this.#vain.delete(search)
    if (isVain) this.#vain.set(search, this.#parts.clock.now())
    const [oldest] = this.#vain.keys()
    if (this.#vain.size > MAX_NOTED && oldest !== undefined) this.#vain.delete(oldest)
  }
}
