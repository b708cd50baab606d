import { codeOf } from '../../domain/errors.ts'
import type { PeerId } from '../../domain/ids.ts'
import { offerTags } from '../../domain/machine-need.ts'
import type { Directory } from '../../ports/directory.ts'
import type { Logger } from '../../ports/logger.ts'
import type { Requests } from '../../ports/requests.ts'
import { mapLimited } from '../limited.ts'
import type { OpenOffer } from './open-offer.ts'

export interface DirectOffersParts {
  readonly requests: Pick<Requests, 'call'>
  readonly logger: Logger
  readonly directory?: Pick<Directory, 'find'>
}

/** Most nodes found in the DHT that one offer is sent to. Source: a search ends at about as many. */
const MAX_FOUND = 20
/** Nodes that an offer is sent to at a time: each may have to be dialled. */
const SEND_LANES = 8

/** Sends offers to nodes one by one, past the mesh. */
export class DirectOffers {
  readonly #parts: DirectOffersParts

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

  /** Looks in the DHT for nodes that could take an offer, and sends it to them. */
  async seek(open: OpenOffer, signal: AbortSignal): Promise<void> {
    const { directory, logger } = this.#parts
    if (directory === undefined) return
    const found = new Set<PeerId>()
    try {
      for (const tag of offerTags(open.offer.message))
        for await (const peer of directory.find(tag, { signal })) {
          found.add(peer)
          if (found.size >= MAX_FOUND) break
        }
    } catch (error) {
      // bidding is over, or the DHT has nobody: what was found is asked
      logger.debug('search for providers ended', { code: codeOf(error) })
    }
    await this.send(open, [...found], signal)
  }
}
