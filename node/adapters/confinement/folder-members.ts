import type { SandboxFile } from '../../ports/sandbox.ts'
import type { TarMember } from '../image/tar-writer.ts'
import { JOB_UID } from './job-bounds.ts'
import type { TaskFolder } from './task-folders.ts'

/** Files of a folder, relative to it, with the folders above them. Inputs belong to root, so the job can read and not change them. */
export function membersOf(mount: TaskFolder): readonly TarMember[] {
  const owner = mount.isOutput ? JOB_UID : 0
  const folders = new Set(mount.files.flatMap((file) => foldersAbove(inside(mount, file))))
  return [
    ...[...folders].sort().map((path) => ({ path, owner, mode: 0o755 })),
    ...mount.files.map((file) => ({
      path: inside(mount, file),
      bytes: file.bytes,
      owner,
      mode: 0o644,
    })),
  ]
}

function inside(mount: TaskFolder, file: SandboxFile): string {
  return file.path.slice(mount.target.length + 1)
}

function foldersAbove(path: string): readonly string[] {
  const parts = path.split('/').slice(0, -1)
  return parts.map((_, at) => parts.slice(0, at + 1).join('/'))
}
