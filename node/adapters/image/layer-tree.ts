import { HiveError } from '../../domain/errors.ts'
import { readTar, type TarEntry } from './tar-reader.ts'

/** A name in an image. Hard links are one node under several names. */
export type TreeNode = TreeFolder | TreeFile | TreeLink
/** A regular file; `bytes` is a view into its layer. */
export interface TreeFile {
  readonly kind: 'file'
  readonly mode: number
  readonly bytes: Uint8Array
}
/** A symbolic link. Where it leads is looked up inside the job only. */
export interface TreeLink {
  readonly kind: 'symlink'
  readonly link: string
}
/** A folder and what is in it. */
export interface TreeFolder {
  readonly kind: 'directory'
  /** `undefined` where the archive has names below the folder and not the folder itself. */
  mode: number | undefined
  /** Whether the folder hides what lower layers have in it. */
  isOpaque: boolean
  readonly nodes: Map<string, TreeNode>
  /** Names of lower layers that this one deletes. */
  readonly deleted: Set<string>
}

/** Most files in all layers; a full Debian desktop has some 200,000. */
export const MAX_ENTRIES = 250_000
const WHITEOUT = '.wh.'
const OPAQUE = '.wh..wh..opq'
/** Records of a storage driver that is gone; no reader takes them for files. */
const META = '.wh..wh.'

/**
 * One layer as a tree, read strictly: what two readers of layers might do differently with, is refused. No name lies
 * behind a link or a file, none is two things at once, and a hard link names a file that came before it.
 * @throws HiveError IMAGE_INVALID with the broken rule
 */
export function layerTree(layer: Uint8Array): {
  readonly root: TreeFolder
  readonly entries: number
} {
  const root = emptyFolder()
  let entries = 0
  for (const entry of readTar(layer)) {
    if (++entries > MAX_ENTRIES) throw refused('the image has too many files')
    place(root, entry)
  }
  return { root, entries }
}

/** A folder with nothing in it. */
export function emptyFolder(): TreeFolder {
  const nodes = new Map<string, TreeNode>()
  return { kind: 'directory', mode: undefined, isOpaque: false, nodes, deleted: new Set() }
}

function place(root: TreeFolder, entry: TarEntry): void {
  if (entry.kind === 'fifo') throw refused('a layer may hold files, links and folders only')
  if (entry.path === '') {
    if (entry.kind !== 'directory') throw refused('a layer replaces its root')
    root.mode = entry.mode
    return
  }
  const { folder, name } = walk(root, entry.path)
  if (name.startsWith(WHITEOUT)) {
    remove(folder, name)
    return
  }
  if (folder.deleted.has(name)) throw refused('a layer deletes a name and has it')
  const before = folder.nodes.get(name)
  if (entry.kind === 'directory') {
    const known = before ?? emptyFolder()
    if (known.kind !== 'directory') throw refused('a name is a folder and something else')
    known.mode = entry.mode
    folder.nodes.set(name, known)
    return
  }
  if (before?.kind === 'directory') throw refused('a name is a folder and something else')
  folder.nodes.set(name, leaf(root, entry))
}

function leaf(root: TreeFolder, entry: TarEntry): TreeNode {
  if (entry.kind === 'symlink') return { kind: 'symlink', link: entry.link }
  if (entry.kind === 'file') return { kind: 'file', mode: entry.mode, bytes: entry.bytes }
  const { folder, name } = walk(root, entry.link)
  const node = folder.nodes.get(name)
  if (node?.kind !== 'file') throw refused('a hard link names no file of its layer')
  return node
}

/** The folder that a path's last name is in; folders on the way are made. */
function walk(
  root: TreeFolder,
  path: string,
): { readonly folder: TreeFolder; readonly name: string } {
  const parts = path.split('/')
  const name = parts.pop() ?? ''
  let folder = root
  for (const part of parts) {
    if (part.startsWith(WHITEOUT)) throw refused('a name lies behind a deletion')
    if (folder.deleted.has(part)) throw refused('a layer deletes a name and has it')
    const next = folder.nodes.get(part) ?? emptyFolder()
    if (next.kind !== 'directory') throw refused('a name lies behind a link or a file')
    folder.nodes.set(part, next)
    folder = next
  }
  return { folder, name }
}

function remove(folder: TreeFolder, name: string): void {
  if (name === OPAQUE) folder.isOpaque = true
  if (name.startsWith(META)) return
  const deleted = name.slice(WHITEOUT.length)
  if (deleted === '' || deleted === '.' || deleted === '..') throw refused('a deletion climbs')
  if (folder.nodes.has(deleted)) throw refused('a layer deletes a name and has it')
  folder.deleted.add(deleted)
}

function refused(rule: string): HiveError {
  return new HiveError('IMAGE_INVALID', { rule })
}
