import { PROTOCOLS } from '../../protocol/protocols.ts'

/**
 * Most offers of one requester that are passed on and answered in a minute. Source: beyond the quota
 * of the bid protocol the requester itself would refuse the answers.
 */
export const MAX_OFFERS_PER_MINUTE: number = PROTOCOLS.bid.perPeerPerMinute
/**
 * Most answers on their way at a time, to all requesters together: each signs twice and may dial.
 * Room for all that one requester may ask in a minute, even if it comes at once.
 */
export const MAX_ANSWERS_UNDER_WAY = 256
/** Most bids that the node stands by, about 2 KiB each; the oldest go first. */
export const MAX_STANDING_BIDS = 10_000
/** Most requesters whose offers are counted, about 100 bytes each; the longest known go first. */
export const MAX_COUNTED_REQUESTERS = 10_000
