import { ERRNO, type Errno } from './abi.ts'
import type { DirNode, TreeNode } from './tree-node.ts'

/** Longest path a guest may name, bytes; as Linux has it. */
export const MAX_PATH_BYTES = 4096
/** Longest single name, bytes of UTF-8; as Linux has it. */
const MAX_NAME_BYTES = 255
/** Deepest directory, so that walking up and collecting are bounded. */
const MAX_DEPTH = 128

/** Where a path leads: the directory that holds the last name, and what is there, if anything. */
export interface Place {
  readonly dir: DirNode
  /** Empty when the path names `dir` itself. */
  readonly name: string
  readonly node: TreeNode | undefined
  /** The path ended in a slash, so it can only mean a directory. */
  readonly asDir: boolean
}

/**
 * Walks `path` from `base` without ever rising above `base`: an absolute path, or one `..` too many,
 * answers `notcapable`.
 */
export function locate(base: DirNode, path: string): Place | Errno {
  if (path === '') return ERRNO.noent
  if (path.startsWith('/')) return ERRNO.notcapable
  if (path.includes('\0')) return ERRNO.inval
  const names = path.split('/').filter((name) => name !== '' && name !== '.')
  const asDir = /(^|\/)\.{0,2}$/.test(path)
  let dir = base
  let depth = 0
  for (const [at, name] of names.entries()) {
    if (name === '..') {
      if (depth === 0 || dir.parent === undefined) return ERRNO.notcapable
      dir = dir.parent
      depth -= 1
      continue
    }
    if (Buffer.byteLength(name) > MAX_NAME_BYTES) return ERRNO.nametoolong
    const node = dir.entries.get(name)
    if (at === names.length - 1) return { dir, name, node, asDir }
    if (node === undefined) return ERRNO.noent
    if (node.kind !== 'dir') return ERRNO.notdir
    dir = node
    depth += 1
    if (depth >= MAX_DEPTH) return ERRNO.nametoolong
  }
  return { dir, name: '', node: dir, asDir: true }
}

/** The names of an absolute path of the task's own making; `undefined` when it is not a plain one. */
export function plainNames(path: string): readonly string[] | undefined {
  if (!path.startsWith('/') || Buffer.byteLength(path) > MAX_PATH_BYTES) return undefined
  const names = path.split('/').filter((name) => name !== '')
  const plain = names.every(
    (name) =>
      name !== '.' &&
      name !== '..' &&
      !name.includes('\0') &&
      Buffer.byteLength(name) <= MAX_NAME_BYTES,
  )
  return plain && names.length <= MAX_DEPTH ? names : undefined
}
