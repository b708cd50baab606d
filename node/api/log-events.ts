import { KiB } from '../domain/units.ts'
import type { JobEventBody } from './schemas/jobs.ts'

/** Largest piece of a task's output in one event, bytes. */
const PIECE_BYTES: number = 48 * KiB

/** Output of a task as events. */
export function* logEvents(
  index: number,
  stream: number,
  bytes: Uint8Array,
): Generator<JobEventBody> {
  for (let at = 0; at < bytes.byteLength; at += PIECE_BYTES) {
    const piece = Buffer.from(bytes.subarray(at, at + PIECE_BYTES))
    yield { type: 'log', index, stream, data: piece.toString('base64') }
  }
}
