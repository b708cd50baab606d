import type Docker from 'dockerode'
import { HiveError } from '../../domain/errors.ts'
import type { SandboxTask } from '../../ports/sandbox.ts'
import { SCRATCH_INODES } from '../confinement/job-bounds.ts'
import { collected, unusableOutputs, type Collected } from '../confinement/output-files.ts'
import { readTar } from '../image/tar-reader.ts'

/** Room for headers and padding: each file may cost a header, a long name and a rounding, bytes. */
const OVERHEAD_BYTES_PER_FILE = 4 * 512

/** Reads the outputs folder of an ended container. */
export async function collectOutputs(
  container: Docker.Container,
  task: SandboxTask,
): Promise<Collected> {
  // NOTE: the final dot asks for what is in the folder, so names come relative to it
  const stream = await container.getArchive({ path: `${task.outputs}/.` })
  try {
    const archive = await readArchive(stream, task.limits.diskBytes, SCRATCH_INODES)
    return collected(readTar(archive), task)
  } catch (error) {
    return unusableOutputs(error)
  }
}

/**
 * The whole answer, unless it is longer than the folder can be.
 * @throws HiveError CONTENT_TOO_LARGE
 */
export async function readArchive(
  stream: AsyncIterable<Buffer | string>,
  diskBytes: number,
  maxFiles: number,
): Promise<Buffer> {
  const maxBytes = diskBytes + maxFiles * OVERHEAD_BYTES_PER_FILE
  const pieces: Buffer[] = []
  let size = 0
  for await (const piece of stream) {
    const bytes = Buffer.from(piece)
    size += bytes.length
    if (size > maxBytes) throw new HiveError('CONTENT_TOO_LARGE', { maxBytes })
    pieces.push(bytes)
  }
  return Buffer.concat(pieces)
}
