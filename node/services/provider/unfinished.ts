import { codeOf } from '../../domain/errors.ts'
import type { TaskResult } from '../../domain/receipt.ts'
import type { Blobs } from '../../ports/blobs.ts'

/** How a task ends that its provider did not bring to an end: unpaid, and to be run elsewhere. */
export type Unfinished = 'killed' | 'start-failed'

const SAID: Readonly<Record<Unfinished, string>> = {
  killed: 'ended before it was done',
  'start-failed': 'not run',
}

/**
 * What a share says of such a task, so that the others can be delivered. What it had printed is left out: its requester
 * would have to fetch it before it pays for the others.
 */
export async function unfinished(
  blobs: Blobs,
  index: number,
  reason: Unfinished,
  why: unknown,
): Promise<TaskResult> {
  const cid = await blobs.add(new Uint8Array())
  return {
    index,
    reason,
    exitCode: -1,
    detail: `${SAID[reason]}: ${codeOf(why)}`,
    stdout: { path: '/stdout', cid, size: 0 },
    stderr: { path: '/stderr', cid, size: 0 },
    files: [],
    usage: { wallMs: 0, cpuMs: 0, peakMemoryBytes: 0, bytesIn: 0, bytesOut: 0 },
  }
}
