import type { PeerId } from '../domain/ids.ts'
import type { TagGroups } from '../domain/machine-need.ts'
import type { Directory } from '../ports/directory.ts'
import type { CallOptions } from '../ports/requests.ts'
import { shardedTag, shardOfPeer, TAG_SHARDS } from '../protocol/capability-tags.ts'
import { isAccountPeer } from '../protocol/identity.ts'
import { shuffled } from '../protocol/random.ts'

/** Where nodes with capabilities are looked for. */
export type Announcements = Pick<Directory, 'find'>

/** Shards that are looked through first; they hold enough where many have what is wanted. */
const FIRST_SHARDS = 4
/** Most nodes taken of one tag in one shard: whoever answers a search names as many as it likes. */
const MAX_OF_SHARD = 256

/** A node that was found, and how many of the groups of tags it was found by. */
interface Find {
  readonly peer: PeerId
  readonly groups: number
}

/**
 * Looks for nodes that announced a tag of every group: in a few shards chosen at random, then, as long as the caller
 * asks for more, in all others, so that a small network is searched completely. Of each part those come first that
 * were found by most groups, otherwise in random order: nobody's place in it can be chosen.
 */
export async function* searchCapable(
  directory: Announcements,
  groups: TagGroups,
  options: CallOptions,
): AsyncGenerator<readonly PeerId[]> {
  const shards = shuffled(TAG_SHARDS)
  for (const part of [shards.slice(0, FIRST_SHARDS), shards.slice(FIRST_SHARDS)]) {
    const finds = await Promise.all(
      part.map(async (shard) => searchShard(directory, groups, shard, options)),
    )
    const ordered = shuffled(finds.flat()).toSorted((a, b) => b.groups - a.groups)
    yield ordered.map(({ peer }) => peer)
  }
}

/** Nodes of one shard: those found by the rarest group, among whom are all who have a tag of every group. */
async function searchShard(
  directory: Announcements,
  groups: TagGroups,
  shard: string,
  options: CallOptions,
): Promise<readonly Find[]> {
  const found = await Promise.all(
    groups.map(async (tags) => {
      const each = await Promise.all(
        tags.map(async (tag) => searchKey(directory, tag, shard, options)),
      )
      return new Set(each.flat())
    }),
  )
  const [rarest = []] = found.toSorted((a, b) => a.size - b.size)
  return [...rarest].map((peer) => ({
    peer,
    groups: found.filter((set) => set.has(peer)).length,
  }))
}

/** Nodes that announced one key, without those that are not of its shard: nobody is found in several. */
async function searchKey(
  directory: Announcements,
  tag: string,
  shard: string,
  options: CallOptions,
): Promise<readonly PeerId[]> {
  const found = new Set<PeerId>()
  let named = 0
  for await (const peer of directory.find(shardedTag(tag, shard), options)) {
    if (isAccountPeer(peer) && shardOfPeer(peer) === shard) found.add(peer)
    if (++named >= MAX_OF_SHARD) break
  }
  return [...found]
}
