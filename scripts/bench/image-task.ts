import { MiB, minute } from '../../node/domain/units.ts'
import type { SandboxImage, SandboxTask } from '../../node/ports/sandbox.ts'

const LIMITS = {
  cpuMillis: 1000,
  memoryBytes: 64 * MiB,
  diskBytes: 16 * MiB,
  wallMs: minute,
  outputBytes: MiB,
} as const

let tasks = 0

/** A small task with an id of its own and nothing brought along. */
export function imageTask(image: SandboxImage, args: readonly string[]): SandboxTask {
  const none = { env: {}, stdin: new Uint8Array(), files: [], outputs: '/out' }
  return { id: `bench ${++tasks}`, image, args, ...none, limits: LIMITS }
}
