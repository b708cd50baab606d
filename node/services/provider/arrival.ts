import { codeOf } from '../../domain/errors.ts'
import type { JobSpec } from '../../domain/job-spec.ts'
import { minute } from '../../domain/units.ts'
import type { Sandbox } from '../../ports/sandbox.ts'
import type { Contents } from './contents.ts'

/**
 * How long a share's program and common inputs may take to come and to be made ready, ms. Source: an agreement
 * gives a share as long to start; it is no part of its tasks' own time.
 */
export const FETCH_TIMEOUT_MS: number = 5 * minute

/**
 * Brings a share's program and the inputs of all its tasks to this node, and the program into its sandbox. An image
 * that cannot be run is no failure here: each task then ends with that reason.
 */
export async function bringShare(
  contents: Contents,
  spec: JobSpec,
  sandbox: Sandbox,
  signal: AbortSignal,
): Promise<void> {
  await contents.bringShared(spec, signal)
  const id = spec.image.cid
  if (sandbox.holds(id)) return
  try {
    await contents.bringImage(spec, signal)
    await sandbox.prepare?.({ id, load: async () => contents.image(spec, signal) }, { signal })
  } catch (error) {
    if (codeOf(error) !== 'IMAGE_INVALID') throw error
    contents.refuseImage(error)
  }
}
