import { CID } from 'multiformats/cid'
import * as Digest from 'multiformats/hashes/digest'
import { HiveError } from '../domain/errors.ts'
import type { Bytes32, Cid } from '../domain/ids.ts'
import { fromHex, toHex } from './bytes.ts'
import { malformed, type Shape } from './schema.ts'

/** Multicodec codes. Source: the multicodec table. */
const RAW = 0x55
const DAG_PB = 0x70
const DAG_CBOR = 0x71
const SHA2_256 = 0x12
const MAX_CID_CHARS = 128

/** CID of the dag-cbor block with this SHA-256. */
export function blockCid(sha256: Bytes32): Cid {
  return CID.createV1(DAG_CBOR, Digest.create(SHA2_256, fromHex(sha256))).toString()
}

/** CID of the bytes with this SHA-256. */
export function rawCid(sha256: Bytes32): Cid {
  return CID.createV1(RAW, Digest.create(SHA2_256, fromHex(sha256))).toString()
}

/** Every CID that content of ours with this SHA-256 can have: of small files, of large ones, of blocks. */
export function cidsOf(sha256: Bytes32): readonly Cid[] {
  const digest = Digest.create(SHA2_256, fromHex(sha256))
  return [RAW, DAG_PB, DAG_CBOR].map((code) => CID.createV1(code, digest).toString())
}

/** SHA-256 that a CID commits to. Throws `MESSAGE_MALFORMED` for other hashes or versions. */
export function cidDigest(cid: Cid): Bytes32 {
  return toHex(parseCid(cid).multihash.digest)
}

/** A stranger's CID: version 1, SHA-256, base32. */
export const cidText: Shape<Cid> = {
  toWire: (value) => value,
  fromWire: (raw, path) => {
    if (typeof raw !== 'string' || raw.length > MAX_CID_CHARS) return malformed(path, 'a CID')
    try {
      return parseCid(raw).toString()
    } catch (cause) {
      throw new HiveError(
        'MESSAGE_MALFORMED',
        { path, expected: 'a CID of version 1 with SHA-256' },
        { cause },
      )
    }
  },
}

/** A stranger's CID as a link, so that whoever keeps the block knows what belongs to it. */
export const cidLink: Shape<Cid> = {
  toWire: (value) => parseCid(value),
  fromWire: (raw, path) => {
    const cid = CID.asCID(raw)
    return cid === null ? malformed(path, 'a link') : cidText.fromWire(cid.toString(), path)
  },
}

/** Whether a CID is that of a dag-cbor block, not of a file. */
export function isBlockCid(cid: Cid): boolean {
  return parseCid(cid).code === DAG_CBOR
}

function parseCid(text: string): CID {
  const cid = CID.parse(text)
  const ours =
    cid.version === 1 && cid.multihash.code === SHA2_256 && cid.multihash.digest.length === 32
  return ours ? cid : malformed('cid', 'version 1 with SHA-256')
}
