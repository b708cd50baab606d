import { codeOf, HiveError } from '../../domain/errors.ts'
import type { SandboxFile, SandboxTask } from '../../ports/sandbox.ts'
import { isSandboxPath } from '../../protocol/job-spec-codec.ts'
import { MAX_FILE_BYTES, MAX_OUTPUT_FILES } from '../../protocol/limits.ts'

/** Something in an outputs folder; `path` is relative to it. Hard links come after what they name. */
export interface OutputEntry {
  readonly kind: 'file' | 'hardlink' | 'symlink' | 'directory' | 'fifo'
  readonly path: string
  /** Of a hard link, the path of the file that it is. */
  readonly link: string
  readonly bytes: Uint8Array
}

/** The files of an ended task, or why they cannot be had. */
export interface Collected {
  readonly files: readonly SandboxFile[]
  /** The job's own doing that makes the outputs unusable; empty when they are fine. */
  readonly fault: string
  /** Whether a folder that the job may write had no room left, as far as that can still be seen. */
  readonly isFull: boolean
}

/** What a task left in its outputs folder. */
interface OutputFiles {
  readonly files: readonly SandboxFile[]
  /** Bytes of memory that everything in the folder takes, given files included, and one page to spare. */
  readonly usedBytes: number
}

const FAULTS: ReadonlyMap<string, string> = new Map([
  ['CONTENT_TOO_LARGE', 'the outputs are too many or too large'],
  ['IMAGE_INVALID', 'an output has a name that cannot be carried'],
])
/** What a folder in memory rounds file sizes up to, bytes. */
const PAGE_BYTES = 4096

/**
 * Most that the files of a task may hold together, bytes, each under every name that it has: its disk in whole pages,
 * and what it was given. A requester refuses results of more.
 */
export function outputRoom({ limits, files }: SandboxTask): number {
  const disk = Math.ceil(limits.diskBytes / PAGE_BYTES) * PAGE_BYTES
  return files.reduce((sum, { bytes }) => sum + bytes.length, disk)
}

/**
 * The regular files among the entries of the outputs folder, without those that were given and left as they were. Links,
 * pipes and names that no path of ours can have are passed over.
 * @throws HiveError CONTENT_TOO_LARGE when there are too many, one is too large, or together they are more than fits
 */
export function outputFiles(entries: Iterable<OutputEntry>, task: SandboxTask): OutputFiles {
  const given = new Map(task.files.map((file) => [file.path, file.bytes]))
  const seen = new Map<string, Uint8Array>()
  const files: SandboxFile[] = []
  let usedBytes = PAGE_BYTES
  let room = outputRoom(task)
  for (const entry of entries) {
    const bytes = entry.kind === 'hardlink' ? seen.get(entry.link) : entry.bytes
    if ((entry.kind !== 'file' && entry.kind !== 'hardlink') || bytes === undefined) continue
    seen.set(entry.path, bytes)
    if (entry.kind === 'file') usedBytes += Math.ceil(bytes.length / PAGE_BYTES) * PAGE_BYTES
    const path = `${task.outputs}/${entry.path}`
    const before = given.get(path)
    if (!isSandboxPath(path) || (before && Buffer.compare(before, bytes) === 0)) continue
    // links and holes take no room in the folder, and all of it in the results
    room -= bytes.length
    if (room < 0 || bytes.length > MAX_FILE_BYTES || files.length >= MAX_OUTPUT_FILES) {
      throw new HiveError('CONTENT_TOO_LARGE', { path, files: files.length })
    }
    files.push({ path, bytes })
  }
  return { files, usedBytes }
}

/**
 * What a task that has ended gives back of its outputs folder.
 * @throws whatever reading the entries throws that is not the job's own doing
 */
export function collected(entries: Iterable<OutputEntry>, task: SandboxTask): Collected {
  try {
    const { files, usedBytes } = outputFiles(entries, task)
    return { files, fault: '', isFull: usedBytes >= task.limits.diskBytes }
  } catch (error) {
    return unusableOutputs(error)
  }
}

/** The outputs of which reading failed with `error`; throws it again when it is not the job's doing. */
export function unusableOutputs(error: unknown): Collected {
  const fault = FAULTS.get(codeOf(error) ?? '')
  if (fault === undefined) throw error
  return { files: [], fault, isFull: false }
}
