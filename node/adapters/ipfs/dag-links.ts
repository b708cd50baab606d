import { CID } from 'multiformats/cid'
import { HiveError } from '../../domain/errors.ts'
import { linksOfBlock } from '../../protocol/block-links.ts'
import { checkCid, DAG_CBOR_CODE, DAG_PB_CODE, parseCid } from './content-id.ts'

/** Fields as dag-pb writes them: number and wire type 2, bytes with a length before them. */
const NODE_LINKS = 0x12
const LINK_HASH = 0x0a
/** Wire types of protobuf; dag-pb has no others. */
const VARINT = 0
const BYTES = 2
/** Longest varint of a field in a block, bytes: more than any block's length needs. */
const MAX_VARINT_BYTES = 8

/** Whether a block of this kind may name others. */
export function mayHaveLinks(cid: CID): boolean {
  return cid.code === DAG_PB_CODE || cid.code === DAG_CBOR_CODE
}

/** The blocks that a block names. Throws CONTENT_NOT_FOUND, or as {@link linksOfBlock} does, for bytes that are none. */
export function linksOf(cid: CID, block: Uint8Array): CID[] {
  if (cid.code === DAG_PB_CODE) return linksOfNode(block)
  return cid.code === DAG_CBOR_CODE ? linksOfBlock(block).map(parseCid) : []
}

function linksOfNode(block: Uint8Array): CID[] {
  return fieldsOf(block)
    .filter(({ tag }) => tag === NODE_LINKS)
    .map(({ bytes }) => {
      const hash = fieldsOf(bytes).find(({ tag }) => tag === LINK_HASH)
      if (hash === undefined) throw malformed()
      return checkCid(decodeCid(hash.bytes))
    })
}

/** The fields of a protobuf message that carry bytes, in order. */
function fieldsOf(message: Uint8Array): { readonly tag: number; readonly bytes: Uint8Array }[] {
  const fields: { tag: number; bytes: Uint8Array }[] = []
  let at = 0
  const varint = (): number => {
    let value = 0
    for (let place = 0; place < MAX_VARINT_BYTES; place++) {
      const byte = message[at++]
      if (byte === undefined) throw malformed()
      value += (byte & 0x7f) * 2 ** (7 * place)
      if (byte < 0x80) return value
    }
    throw malformed()
  }
  while (at < message.byteLength) {
    const tag = varint()
    const value = varint()
    if ((tag & 7) === VARINT) continue
    if ((tag & 7) !== BYTES || value > message.byteLength - at) throw malformed()
    fields.push({ tag, bytes: message.subarray(at, at + value) })
    at += value
  }
  return fields
}

function decodeCid(bytes: Uint8Array): CID {
  try {
    return CID.decode(bytes)
  } catch (cause) {
    throw new HiveError('CONTENT_NOT_FOUND', { malformed: true }, { cause })
  }
}

function malformed(): HiveError {
  return new HiveError('CONTENT_NOT_FOUND', { malformed: true })
}
