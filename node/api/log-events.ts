import { KiB } from '../domain/units.ts'
import type { JobEventBody } from './schemas/jobs.ts'

/** Largest piece of a task's output in one event, bytes. */
const PIECE_BYTES: number = 48 * KiB

/** Output of a task as events; it begins at byte `at` of its stream. */
export function* logEvents(
  index: number,
  stream: number,
  at: number,
  bytes: Uint8Array,
): Generator<JobEventBody> {
  for (let done = 0; done < bytes.byteLength; done += PIECE_BYTES) {
    const piece = Buffer.from(bytes.subarray(done, done + PIECE_BYTES))
    yield { type: 'log', index, stream, at: at + done, data: piece.toString('base64') }
  }
}
