import type { Address, PeerId } from '../domain/ids.ts'

/** The node's one key, seen from where messages are signed. It never leaves its adapter. */
export interface Signer {
  readonly address: Address
  readonly peer: PeerId
  /** Signs a 32-byte digest: r ‖ s ‖ v, low s. */
  signDigest(digest: Uint8Array): Uint8Array
}
