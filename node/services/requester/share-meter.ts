import { noBeats } from '../../domain/heartbeat.ts'
import type { ShareMeter, ShareRecord } from './records.ts'

/** A share whose agreement is about its first interval. `now` is Unix ms. */
export function withMeter(share: ShareRecord, payEveryMs: number, now: number): ShareRecord {
  const { id, seq, agreement, award } = share
  const first = { id, seq, agreement, award, isSigned: true }
  const meter: ShareMeter = { ...noBeats(payEveryMs, now), payEveryMs, agreed: [first] }
  return { ...share, meter }
}
