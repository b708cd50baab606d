import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import { sha256 } from 'multiformats/hashes/sha2'

/** Under what the nodes of a network that announce a tag are kept in the DHT. */
export async function capabilityKey(network: string, tag: string): Promise<CID> {
  const name = new TextEncoder().encode(`cap:v1:${network}:${tag}`)
  return CID.createV1(raw.code, await sha256.digest(name))
}
