import { chmod, link, mkdir, open, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { TreeFile, TreeFolder } from '../image/layer-tree.ts'

/** Permission bits that a job can make use of: not those that lend a user's or a group's rights. */
const FILE_BITS = 0o777
const FOLDER_BITS = 0o1777
/** Of a folder that the archive does not describe. */
const FOLDER_MODE = 0o755
/** Files written at a time; the disk has no use for more. */
const AT_A_TIME = 8

/**
 * Writes a tree into `target`, which must not exist. Nothing that is written is ever followed or opened again, so no name
 * in the tree can lead out of `target`. All belongs to this process's user.
 */
export async function unpackTree(tree: TreeFolder, target: string): Promise<void> {
  const written = new Map<TreeFile, string>()
  await writeFolder(tree, target, written)
}

async function writeFolder(
  folder: TreeFolder,
  target: string,
  written: Map<TreeFile, string>,
): Promise<void> {
  await mkdir(target, { mode: 0o700 })
  const files: (readonly [path: string, file: TreeFile])[] = []
  for (const [name, node] of folder.nodes) {
    const path = join(target, name)
    if (node.kind === 'directory') await writeFolder(node, path, written)
    else if (node.kind === 'symlink') await symlink(node.link, path)
    else {
      const other = written.get(node)
      if (other === undefined) files.push([path, node])
      else await link(other, path)
      if (other === undefined && files.length >= AT_A_TIME) await flush(files, written)
    }
  }
  await flush(files, written)
  await chmod(target, (folder.mode ?? FOLDER_MODE) & FOLDER_BITS)
}

/** Writes what is waiting; a file that waits under two names is linked. */
async function flush(
  files: (readonly [path: string, file: TreeFile])[],
  written: Map<TreeFile, string>,
): Promise<void> {
  const links: (readonly [from: string, to: string])[] = []
  const fresh: (readonly [path: string, file: TreeFile])[] = []
  for (const [path, file] of files) {
    const other = written.get(file)
    if (other === undefined) {
      written.set(file, path)
      fresh.push([path, file])
    } else links.push([other, path])
  }
  files.length = 0
  await Promise.all(fresh.map(([path, file]) => writeOne(path, file)))
  for (const [from, to] of links) await link(from, to)
}

async function writeOne(path: string, file: TreeFile): Promise<void> {
  await using handle = await open(path, 'wx', 0o600)
  await handle.writeFile(file.bytes)
  await handle.chmod(file.mode & FILE_BITS)
}
