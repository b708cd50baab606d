import { HiveError } from '../../domain/errors.ts'
import type { PeerId } from '../../domain/ids.ts'
import { MAX_ADVERT_BYTES } from '../../protocol/limits.ts'
import { addressOfPeer } from '../../protocol/identity.ts'
import { checkSize } from './answer-codec.ts'
import { LIBP2P_DEFAULTS, type Libp2pOptions } from './options.ts'

/** First part of the DHT keys that hold adverts. */
export const ADVERT_NAMESPACE = 'hive'
const KEY_PREFIX = `/${ADVERT_NAMESPACE}/`
/** A secp256k1 peer id has 53 characters. */
const MAX_KEY_BYTES = KEY_PREFIX.length + 64

/** Where a peer's advert is kept in the DHT. */
export function advertKey(peer: PeerId): Uint8Array {
  return new TextEncoder().encode(KEY_PREFIX + peer)
}

/** Refuses what is not an advert of the peer that its key names. Run by every node that stores one. */
export function advertValidator(options: Libp2pOptions) {
  const validate = options.validateAdvert ?? LIBP2P_DEFAULTS.validateAdvert
  return async (key: Uint8Array, value: Uint8Array): Promise<void> => {
    checkSize(value, MAX_ADVERT_BYTES)
    await validate(peerOf(key), value)
  }
}

/** Chooses among valid adverts of one peer. */
export function advertSelector(options: Libp2pOptions) {
  const select = options.selectAdvert ?? LIBP2P_DEFAULTS.selectAdvert
  return (_key: Uint8Array, records: Uint8Array[]): number => select(records)
}

function peerOf(key: Uint8Array): PeerId {
  const text = new TextDecoder().decode(checkSize(key, MAX_KEY_BYTES))
  if (!text.startsWith(KEY_PREFIX)) throw new HiveError('PEER_PROTOCOL', { expected: KEY_PREFIX })
  const peer = text.slice(KEY_PREFIX.length)
  addressOfPeer(peer)
  return peer
}
