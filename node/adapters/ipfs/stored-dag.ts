import type { CID } from 'multiformats/cid'
import { linksOf, mayHaveLinks } from './dag-links.ts'
import type { VerifiedBlockstore } from './verified-blockstore.ts'

/** Most blocks looked at; content with more counts as absent and is simply fetched. */
const MAX_BLOCKS = 100_000

/** Whether every block under `root` is in this node's own store. The network is not asked. */
export async function isStored(blocks: VerifiedBlockstore, root: CID): Promise<boolean> {
  const seen = new Set<string>()
  const queue = [root]
  for (let cid = queue.pop(); cid !== undefined; cid = queue.pop()) {
    if (seen.has(cid.toString())) continue
    seen.add(cid.toString())
    if (seen.size > MAX_BLOCKS || !(await blocks.has(cid))) return false
    if (mayHaveLinks(cid)) queue.push(...linksOf(cid, await blocks.read(cid)))
  }
  return true
}
