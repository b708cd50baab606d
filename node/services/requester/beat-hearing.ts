import { HiveError } from '../../domain/errors.ts'
import {
  afterBeat,
  heartbeatFault,
  isPulse,
  type BeatContext,
  type Heartbeat,
} from '../../domain/heartbeat.ts'
import type { Address, Bytes32 } from '../../domain/ids.ts'
import type { Signing } from '../signing.ts'
import type { ShareRecord } from './records.ts'

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

/**
 * Checks what the provider of a share that is not paid by the second says between its events. Throws as {@link hearBeat}
 * does, also for a word without a signature.
 */
export function hearPulse(
  signing: Signing,
  bytes: Uint8Array | undefined,
  { id, provider }: ShareRecord,
  digest: Bytes32,
): void {
  if (bytes === undefined) throw new HiveError('HEARTBEAT_INVALID', { rule: 'R1' })
  const { message: beat } = signing.openFrom('Heartbeat', bytes, [provider])
  if (!isPulse(beat, { share: id, digest }))
    throw new HiveError('HEARTBEAT_INVALID', { rule: 'R9' })
}
