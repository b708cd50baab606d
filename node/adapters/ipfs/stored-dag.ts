import type { Helia } from 'helia'
import type { CID } from 'multiformats/cid'
import { DAG_PB_CODE } from './content-id.ts'

/** Most blocks looked at; content with more counts as absent and is simply fetched. */
const MAX_BLOCKS = 100_000

/** Whether every block under `root` is in this node's own store. The network is not asked. */
export async function isStored(helia: Helia, root: CID): Promise<boolean> {
  const seen = new Set<string>()
  const queue = [root]
  for (let cid = queue.pop(); cid !== undefined; cid = queue.pop()) {
    if (seen.has(cid.toString())) continue
    seen.add(cid.toString())
    if (seen.size > MAX_BLOCKS || !(await helia.blockstore.has(cid))) return false
    if (cid.code === DAG_PB_CODE) queue.push(...(await childrenOf(helia, cid)))
  }
  return true
}

async function childrenOf(helia: Helia, cid: CID): Promise<readonly CID[]> {
  const chunks: Uint8Array[] = []
  for await (const chunk of helia.blockstore.get(cid, { offline: true })) chunks.push(chunk)
  const codec = await helia.getCodec<{ Links: readonly { Hash: CID }[] }>(cid.code)
  return codec.decode(new Uint8Array(Buffer.concat(chunks))).Links.map(({ Hash }) => Hash)
}
