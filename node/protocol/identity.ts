import { base58btc } from 'multiformats/bases/base58'
import secp256k1 from 'secp256k1'
import { HiveError } from '../domain/errors.ts'
import type { Address, PeerId } from '../domain/ids.ts'
import { toHex } from './bytes.ts'
import { keccak } from './typed-data.ts'

/**
 * Header of a PeerId that contains its secp256k1 key: identity multihash of 37 bytes, then the
 * protobuf of libp2p's PublicKey {type: Secp256k1, data: 33 bytes}. Source: libp2p peer-ids spec.
 */
const PEER_ID_HEADER = Uint8Array.of(0x00, 0x25, 0x08, 0x02, 0x12, 0x21)
const COMPRESSED_KEY_BYTES = 33

/** The PeerId of a compressed public key. */
export function peerIdOfKey(publicKey: Uint8Array): PeerId {
  const bytes = new Uint8Array(PEER_ID_HEADER.length + COMPRESSED_KEY_BYTES)
  bytes.set(PEER_ID_HEADER)
  bytes.set(publicKey, PEER_ID_HEADER.length)
  return base58btc.encode(bytes).slice(1)
}

/** The Ethereum account of a compressed public key. */
export function addressOfKey(publicKey: Uint8Array): Address {
  const point = secp256k1.publicKeyConvert(publicKey, false)
  return `0x${keccak(point.subarray(1)).slice(-40)}`
}

/** The Ethereum account of a PeerId. Throws `PEER_PROTOCOL` when it is not a secp256k1 PeerId. */
export function addressOfPeer(peer: PeerId): Address {
  const known = addresses.get(peer)
  if (known !== undefined) return known
  const address = addressOfKey(keyOfPeer(peer))
  if (addresses.size >= ADDRESS_CACHE_SIZE) addresses.clear()
  addresses.set(peer, address)
  return address
}

/** Whether a PeerId is also an account: libp2p lets peers with other kinds of keys connect. */
export function isAccountPeer(peer: PeerId): boolean {
  try {
    addressOfPeer(peer)
    return true
  } catch {
    // no key of ours in it: that is the answer
    return false
  }
}

/** Deriving costs a point decompression and a hash; peers talk many times. */
const ADDRESS_CACHE_SIZE = 10_000
const addresses = new Map<PeerId, Address>()

/** The compressed public key that a PeerId contains. Throws `PEER_PROTOCOL` as {@link addressOfPeer} does. */
export function keyOfPeer(peer: PeerId): Uint8Array {
  try {
    const bytes = base58btc.decode(`z${peer}`)
    const key = bytes.subarray(PEER_ID_HEADER.length)
    const headerFits = toHex(bytes.subarray(0, PEER_ID_HEADER.length)) === toHex(PEER_ID_HEADER)
    if (headerFits && secp256k1.publicKeyVerify(key)) return key
  } catch {
    // not base58: the same answer as for a key of another type
  }
  throw new HiveError('PEER_PROTOCOL', { peer: peer.slice(0, 80), expected: 'a secp256k1 PeerId' })
}

/** The multihash that a PeerId spells. Throws `PEER_PROTOCOL` when it spells none. */
export function bytesOfPeer(peer: PeerId): Uint8Array {
  try {
    return base58btc.decode(`z${peer}`)
  } catch (cause) {
    throw new HiveError(
      'PEER_PROTOCOL',
      { peer: peer.slice(0, 80), expected: 'a PeerId' },
      { cause },
    )
  }
}

/** The compressed public key of a 32-byte private key. */
export function publicKeyOf(privateKey: Uint8Array): Uint8Array {
  return secp256k1.publicKeyCreate(privateKey)
}
