import { MiB } from '../../../../node/domain/units.ts'
import type { SandboxTask } from '../../../../node/ports/sandbox.ts'

/** A task of which only what a test cares about need be given. */
export function anImageTask(more: Partial<SandboxTask> = {}): SandboxTask {
  return {
    id: 'task',
    image: { id: 'image', load: async () => new Uint8Array() },
    args: [],
    env: {},
    stdin: new Uint8Array(),
    files: [],
    outputs: '/out',
    limits: {
      cpuMillis: 500,
      memoryBytes: 64 * MiB,
      diskBytes: 1 * MiB,
      wallMs: 1000,
      outputBytes: 1000,
    },
    ...more,
  }
}
