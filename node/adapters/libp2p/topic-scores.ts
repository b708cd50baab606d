import type { GossipSub } from '@libp2p/gossipsub'
import { createTopicScoreParams, type TopicScoreParams } from '@libp2p/gossipsub/score'
import { second } from '../../domain/units.ts'

/**
 * What a peer's conduct on one topic is worth, by the names of the GossipSub 1.1 specification. What it earns
 * is kept small, so that no good past pays for rubbish: at most 5 in all, and one rejected message costs 40.
 */
export const TOPIC_SCORES: TopicScoreParams = createTopicScoreParams({
  topicWeight: 1,
  // P1, time in the mesh: up to 2 after 100 s; the specification wants it small and capped
  timeInMeshWeight: 0.02,
  timeInMeshQuantum: 1 * second,
  timeInMeshCap: 100,
  // P2, first to bring a message: up to 3, forgotten in a minute
  firstMessageDeliveriesWeight: 0.1,
  firstMessageDeliveriesDecay: 0.95,
  firstMessageDeliveriesCap: 30,
  // P3, too few messages: announcements are rare, so a quiet peer is no bad peer
  meshMessageDeliveriesWeight: 0,
  meshFailurePenaltyWeight: 0,
  // P4, rejected messages, squared: one takes it out of the mesh, two have it no longer heard (below -80)
  invalidMessageDeliveriesWeight: -40,
  // of three it is heard again after a minute and in the mesh after six, of more later
  invalidMessageDeliveriesDecay: 0.99,
})

/** The scoring of a running node, which its public type does not show. */
interface Scoring {
  readonly score: { readonly params: { readonly topics: Record<string, TopicScoreParams> } }
}

/** Has peers scored on a topic from now on: topics come and go, the library only takes them at its start. */
export function scoreTopic(pubsub: GossipSub, topic: string): void {
  const { topics } = (pubsub as unknown as Scoring).score.params
  topics[topic] = TOPIC_SCORES
}
