import { CID } from 'multiformats/cid'
import type { Cid } from '../domain/ids.ts'
import { decodeCbor } from './cbor.ts'

/** How CBOR begins a link: tag 42. Source: the dag-cbor specification. */
const LINK_TAG = [0xd8, 0x2a] as const

/** The CIDs that a dag-cbor block links to. Throws as {@link decodeCbor} does. */
export function linksOfBlock(block: Uint8Array): Cid[] {
  // hardly any block has one, so most need not be decoded
  const hasTag = block.some((byte, at) => byte === LINK_TAG[0] && block[at + 1] === LINK_TAG[1])
  return hasTag ? linksIn(decodeCbor(block, block.byteLength)) : []
}

function linksIn(value: unknown): Cid[] {
  const cid = CID.asCID(value)
  if (cid !== null) return [cid.toString()]
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return []
  return Object.values(value).flatMap(linksIn)
}
