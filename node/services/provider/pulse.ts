import type { Bytes32 } from '../../domain/ids.ts'
import { isMetered } from '../../domain/metering.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Signing } from '../signing.ts'
import type { WorkRecord } from './records.ts'
import { BEAT_MS } from './share-log.ts'

/**
 * Signs that this node still works on a share, and the output that it has told; `undefined` of a share that is paid by the
 * second, whose heartbeats come with its intervals.
 */
export function pulseOf(
  { signing, clock }: { readonly signing: Signing; readonly clock: Clock },
  { id: agreement, ask, startedAt }: WorkRecord,
): ((digest: Bytes32) => Uint8Array) | undefined {
  if (isMetered(ask)) return undefined
  return (digest) => {
    const at = clock.now()
    const elapsedMs = Math.max(0, at - startedAt)
    const seq = Math.floor(elapsedMs / BEAT_MS)
    return signing.seal('Heartbeat', { agreement, seq, elapsedMs, digest, closing: false, at })
      .bytes
  }
}
