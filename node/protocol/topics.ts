import { sha256 } from 'ethers'
import type { Bytes32, PeerId } from '../domain/ids.ts'
import type { Offer } from '../domain/offer.ts'
import { prefixOf } from '../domain/rendezvous.ts'
import { bytesOfPeer } from './identity.ts'
import { MAX_OFFER_BYTES, MAX_TOPIC_OFFERS_PER_MINUTE } from './limits.ts'

/** What each topic for offers carries at most. Source: docs/limits.md. */
export const OFFER_TOPIC_RULES = {
  maxBytes: MAX_OFFER_BYTES,
  perMinute: MAX_TOPIC_OFFERS_PER_MINUTE,
} as const

/** Added to a class for the topics that only nodes with GPUs listen to. */
const GPU_SUFFIX = '+gpu'

/**
 * Topic on which offers of one group are announced: of all nodes that listen to it, or of a shelf, those whose
 * point begins with the bits of `prefix`. Source: docs/protocol/offers.md R1.
 */
export function offerTopic(network: string, group: string, prefix = ''): string {
  return `/computehive/${network}/offers/${group}${prefix === '' ? '' : `/${prefix}`}`
}

/** The groups in which an offer may be announced, those first who are most likely to take it. */
export function groupsOf(offer: Pick<Offer, 'class' | 'gpus'>): readonly string[] {
  return offer.gpus > 0 ? [offer.class + GPU_SUFFIX, offer.class] : [offer.class]
}

/** The groups to which a node listens that runs these classes. */
export function groupsHeard(classes: readonly string[], hasGpus: boolean): readonly string[] {
  return classes.flatMap((each) => (hasGpus ? [each, each + GPU_SUFFIX] : [each]))
}

/** Where a node stands among all: what the DHT orders it by, so that it is connected to those next to it. */
export function pointOfPeer(peer: PeerId): Bytes32 {
  return sha256(bytesOfPeer(peer)) as Bytes32
}

/** Where an offer stands among the nodes: those nearest to it hear it first. */
export function pointOfOffer(id: Bytes32): Bytes32 {
  return sha256(id) as Bytes32
}

/** Whether an offer belongs on the shelf of a group with this prefix. */
export function belongsOn(
  id: Bytes32,
  offer: Pick<Offer, 'class' | 'gpus'>,
  group: string,
  prefix: string,
): boolean {
  return groupsOf(offer).includes(group) && prefixOf(pointOfOffer(id), prefix.length) === prefix
}
