import { lstat, readdir, readFile, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { HiveError } from '../../domain/errors.ts'
import { emptyFolder, type TreeFile, type TreeFolder } from './layer-tree.ts'

/**
 * A folder of this machine as a tree, links as they are. Files of several names stay one file.
 * @throws HiveError IMAGE_INVALID when it holds anything but files, links and folders, or more than `maxBytes`
 */
export async function readFolderTree(path: string, maxBytes: number): Promise<TreeFolder> {
  return await read(path, { left: maxBytes, files: new Map() })
}

interface Reading {
  left: number
  readonly files: Map<string, TreeFile>
}

async function read(path: string, reading: Reading): Promise<TreeFolder> {
  const folder = emptyFolder()
  folder.mode = (await lstat(path)).mode & 0o7777
  for (const name of await readdir(path)) {
    const at = join(path, name)
    const found = await lstat(at)
    if (found.isDirectory()) folder.nodes.set(name, await read(at, reading))
    else if (found.isSymbolicLink())
      folder.nodes.set(name, { kind: 'symlink', link: await readlink(at) })
    else if (found.isFile()) {
      const key = `${found.dev}:${found.ino}`
      const known = found.nlink > 1 ? reading.files.get(key) : undefined
      reading.left -= known === undefined ? found.size : 0
      if (reading.left < 0)
        throw new HiveError('IMAGE_INVALID', { rule: 'the folder is too large' })
      const file = known ?? { kind: 'file', mode: found.mode & 0o7777, bytes: await readFile(at) }
      reading.files.set(key, file)
      folder.nodes.set(name, file)
    } else {
      const rule = 'an image may hold files, links and folders only'
      throw new HiveError('IMAGE_INVALID', { rule, path: at })
    }
  }
  return folder
}
