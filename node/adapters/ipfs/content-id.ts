import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import { sha256 } from 'multiformats/hashes/sha2'
import { HiveError } from '../../domain/errors.ts'
import type { Cid } from '../../domain/ids.ts'

/** The codecs of UnixFS nodes and of blocks, in the multicodec table; the third is raw bytes. */
export const DAG_PB_CODE = 0x70
export const DAG_CBOR_CODE = 0x71
const CODECS: ReadonlySet<number> = new Set([raw.code, DAG_PB_CODE, DAG_CBOR_CODE])
/** Longest text of a CID, characters; ours have 59. */
const MAX_CID_CHARS = 128

/** The CID that a stranger wrote. Throws CONTENT_NOT_FOUND when it is none that this network uses. */
export function parseCid(text: Cid): CID {
  try {
    if (text.length <= MAX_CID_CHARS) return checkCid(CID.parse(text))
  } catch (cause) {
    throw new HiveError('CONTENT_NOT_FOUND', { cid: text.slice(0, MAX_CID_CHARS) }, { cause })
  }
  throw new HiveError('CONTENT_NOT_FOUND', { cid: text.slice(0, MAX_CID_CHARS) })
}

/**
 * Returns a CID of version 1 over SHA-256 with a codec of ours. Throws CONTENT_NOT_FOUND for any
 * other: an identity hash proves nothing, and weaker or slower hashes are a stranger's choice.
 */
export function checkCid(cid: CID): CID {
  const hashed = cid.multihash.code === sha256.code && cid.multihash.digest.byteLength === 32
  if (cid.version === 1 && hashed && CODECS.has(cid.code)) return cid
  throw new HiveError('CONTENT_NOT_FOUND', { cid: cid.toString().slice(0, MAX_CID_CHARS) })
}

/** The CID of one dag-cbor block. */
export async function cidOfBlock(bytes: Uint8Array): Promise<CID> {
  return CID.createV1(DAG_CBOR_CODE, await sha256.digest(bytes))
}
