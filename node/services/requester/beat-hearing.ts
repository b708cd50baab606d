import { HiveError } from '../../domain/errors.ts'
import {
  afterBeat,
  heartbeatFault,
  type BeatContext,
  type Heartbeat,
} from '../../domain/heartbeat.ts'
import type { Address } from '../../domain/ids.ts'
import type { Signing } from '../signing.ts'

/** A heartbeat that holds, and what is to be remembered with it. */
export interface HeardBeat {
  readonly beat: Heartbeat
  readonly state: BeatContext['state']
}

/**
 * Checks a heartbeat of a share. `undefined` for one that was heard before. Throws `HEARTBEAT_INVALID` with the rule,
 * `SIGNATURE_INVALID`, or what an envelope that cannot be read does.
 */
export function hearBeat(
  signing: Signing,
  bytes: Uint8Array,
  provider: Address,
  context: BeatContext,
): HeardBeat | undefined {
  // [REJECT] heartbeats R1: it is signed by the share's provider
  const { message: beat } = signing.openFrom('Heartbeat', bytes, [provider])
  const fault = heartbeatFault(beat, context)
  if (fault?.verdict === 'ignore') return undefined
  if (fault !== undefined)
    throw new HiveError('HEARTBEAT_INVALID', { rule: fault.rule, seq: beat.seq })
  const { state, payEveryMs, now } = context
  return { beat, state: afterBeat(state, beat, payEveryMs, now) }
}
