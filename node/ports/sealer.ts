import type { PeerId } from '../domain/ids.ts'

/**
 * Keeps bytes from everybody but those meant, with the node's one key, which never leaves its adapter. `context` is not
 * hidden: who opens must name the same, so that a box cannot be passed off as another one.
 */
export interface Sealer {
  /** A box that only `peer` can open, and that only this node can have made for it. A new one each time. */
  sealFor(peer: PeerId, context: Uint8Array, secret: Uint8Array): Uint8Array
  /** What `peer` sealed for this node. Throws `SEAL_BROKEN` for anything else. */
  openFrom(peer: PeerId, context: Uint8Array, box: Uint8Array): Uint8Array
  /** A box for this node's own disk. */
  sealOwn(context: Uint8Array, secret: Uint8Array): Uint8Array
  /** What this node sealed for itself. Throws `SEAL_BROKEN` for anything else. */
  openOwn(context: Uint8Array, box: Uint8Array): Uint8Array
}
