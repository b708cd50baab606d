import { HiveError } from '../../domain/errors.ts'
import type { SandboxFile, SandboxTask } from '../../ports/sandbox.ts'
import { isSandboxPath } from '../../protocol/job-spec-codec.ts'
import { MAX_FILE_BYTES, MAX_OUTPUT_FILES } from '../../protocol/limits.ts'
import { readTar } from './tar-reader.ts'

/** What a task left in its outputs folder. */
export interface OutputFiles {
  readonly files: readonly SandboxFile[]
  /** Bytes of memory that everything in the folder takes, given files included, and one page to spare. */
  readonly usedBytes: number
}

/** Room for headers and padding: each file may cost a header, a long name and a rounding, bytes. */
const OVERHEAD_BYTES_PER_FILE = 4 * 512
/** What a folder in memory rounds file sizes up to, bytes. */
const PAGE_BYTES = 4096

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

/**
 * The regular files of an archive of the outputs folder, without those that were given and left as they were. Links,
 * pipes and names that no path of ours can have are passed over.
 * @throws HiveError CONTENT_TOO_LARGE when there are too many, or one is too large
 */
export function outputFiles(archive: Uint8Array, task: SandboxTask): OutputFiles {
  const given = new Map(task.files.map((file) => [file.path, file.bytes]))
  const seen = new Map<string, Uint8Array>()
  const files: SandboxFile[] = []
  let usedBytes = PAGE_BYTES
  for (const entry of readTar(archive)) {
    const bytes = entry.kind === 'hardlink' ? seen.get(entry.link) : entry.bytes
    if ((entry.kind !== 'file' && entry.kind !== 'hardlink') || bytes === undefined) continue
    seen.set(entry.path, bytes)
    if (entry.kind === 'file') usedBytes += Math.ceil(bytes.length / PAGE_BYTES) * PAGE_BYTES
    const path = `${task.outputs}/${entry.path}`
    const before = given.get(path)
    if (!isSandboxPath(path) || (before && Buffer.compare(before, bytes) === 0)) continue
    if (bytes.length > MAX_FILE_BYTES || files.length >= MAX_OUTPUT_FILES) {
      throw new HiveError('CONTENT_TOO_LARGE', { path, files: files.length })
    }
    files.push({ path, bytes })
  }
  return { files, usedBytes }
}
