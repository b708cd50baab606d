import type Docker from 'dockerode'
import { codeOf } from '../../domain/errors.ts'
import type { SandboxFile, SandboxTask } from '../../ports/sandbox.ts'
import { SCRATCH_INODES } from './container-settings.ts'
import { outputFiles, readArchive } from './output-files.ts'

/** The files of an ended task, or why they cannot be had. */
export interface Collected {
  readonly files: readonly SandboxFile[]
  /** The job's own doing that makes the outputs unusable; empty when they are fine. */
  readonly fault: string
  /** Whether the folder had no room left. */
  readonly isFull: boolean
}

/** Reads the outputs folder of an ended container. */
export async function collectOutputs(
  container: Docker.Container,
  task: SandboxTask,
): Promise<Collected> {
  // NOTE: the final dot asks for what is in the folder, so names come relative to it
  const stream = await container.getArchive({ path: `${task.outputs}/.` })
  try {
    const archive = await readArchive(stream, task.limits.diskBytes, SCRATCH_INODES)
    const { files, usedBytes } = outputFiles(archive, task)
    return { files, fault: '', isFull: usedBytes >= task.limits.diskBytes }
  } catch (error) {
    const code = codeOf(error)
    if (code === 'CONTENT_TOO_LARGE') return unusable('the outputs are too many or too large')
    if (code === 'IMAGE_INVALID') return unusable('an output has a name that cannot be carried')
    throw error
  }
}

function unusable(fault: string): Collected {
  return { files: [], fault, isFull: false }
}
