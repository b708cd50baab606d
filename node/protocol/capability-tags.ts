import { TAG_SHARD_BITS } from '../domain/advert.ts'
import type { PeerId } from '../domain/ids.ts'
import { tagsOf, type Machine } from '../domain/machine-need.ts'
import { prefixOf } from '../domain/rendezvous.ts'
import { pointOfPeer } from './topics.ts'

/** The shards of every capability tag: the first bits that a node's point may have. */
export const TAG_SHARDS: readonly string[] = Array.from({ length: 2 ** TAG_SHARD_BITS }, (_, at) =>
  at.toString(2).padStart(TAG_SHARD_BITS, '0'),
)

/** The shard in which a node announces its tags: that of its point. */
export function shardOfPeer(peer: PeerId): string {
  return prefixOf(pointOfPeer(peer), TAG_SHARD_BITS)
}

/** Under what the nodes of one shard announce a tag. Source: docs/protocol/adverts.md, Tags. */
export function shardedTag(tag: string, shard: string): string {
  return `${tag}/${shard}`
}

/** What a node announces: its capability tags, each in its own shard. */
export function announcedTags(machine: Machine, peer: PeerId): readonly string[] {
  const shard = shardOfPeer(peer)
  return tagsOf(machine).map((tag) => shardedTag(tag, shard))
}
