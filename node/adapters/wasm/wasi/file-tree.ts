import { ERRNO, OFLAG, type Errno } from './abi.ts'
import { ENTRY_BYTES, type DiskQuota } from './disk-quota.ts'
import { locate, plainNames } from './paths.ts'
import {
  givenFile,
  madeFile,
  newDir,
  releaseIfGone,
  resize,
  type DirNode,
  type FileNode,
  type TreeNode,
} from './tree-node.ts'

/** A whole file system in memory: directories and regular files, no links, nothing of the host. */
export class FileTree {
  readonly root: DirNode
  readonly quota: DiskQuota
  readonly #now: () => bigint
  #inodes = 1n

  /** `now` tells the time for the files, ns since 1970. */
  constructor(quota: DiskQuota, now: () => bigint) {
    this.quota = quota
    this.#now = now
    this.root = newDir(1n, undefined, 0, now)
  }

  /** Puts an input file at an absolute path, free of charge; false when the path cannot be. */
  plant(path: string, bytes: Uint8Array): boolean {
    const names = plainNames(path)
    const name = names?.at(-1)
    if (names === undefined || name === undefined) return false
    const dir = this.#descend(names.slice(0, -1))
    if (dir === undefined || dir.entries.has(name)) return false
    dir.entries.set(name, givenFile(++this.#inodes, bytes, this.#now))
    return true
  }

  /** Makes the directory at an absolute path, free of charge; `undefined` when it cannot be. */
  plantDir(path: string): DirNode | undefined {
    const names = plainNames(path)
    return names && this.#descend(names)
  }

  /** Opens or makes what `path` names, by `oflags`. */
  open(base: DirNode, path: string, oflags: number): TreeNode | Errno {
    const place = locate(base, path)
    if (typeof place === 'number') return place
    const { dir, name, node, asDir } = place
    if (node === undefined) {
      if ((oflags & OFLAG.creat) === 0) return ERRNO.noent
      if (asDir || (oflags & OFLAG.directory) !== 0) return ERRNO.inval
      if (!this.#lives(dir)) return ERRNO.noent
      this.quota.take(ENTRY_BYTES)
      const file = madeFile(++this.#inodes, ENTRY_BYTES, this.#now)
      dir.entries.set(name, file)
      return file
    }
    if ((oflags & OFLAG.creat) !== 0 && (oflags & OFLAG.excl) !== 0) return ERRNO.exist
    if (node.kind === 'dir') {
      return (oflags & (OFLAG.creat | OFLAG.trunc)) === 0 ? node : ERRNO.isdir
    }
    if (asDir || (oflags & OFLAG.directory) !== 0) return ERRNO.notdir
    if ((oflags & OFLAG.trunc) !== 0) resize(node, 0, this.quota)
    return node
  }

  makeDir(base: DirNode, path: string): Errno {
    const place = locate(base, path)
    if (typeof place === 'number') return place
    if (place.node !== undefined) return ERRNO.exist
    if (!this.#lives(place.dir)) return ERRNO.noent
    this.quota.take(ENTRY_BYTES)
    place.dir.entries.set(place.name, newDir(++this.#inodes, place.dir, ENTRY_BYTES, this.#now))
    return ERRNO.success
  }

  unlink(base: DirNode, path: string): Errno {
    const place = locate(base, path)
    if (typeof place === 'number') return place
    const { dir, name, node, asDir } = place
    if (node === undefined) return ERRNO.noent
    if (node.kind === 'dir') return ERRNO.isdir
    if (asDir) return ERRNO.notdir
    this.#forget(dir, name, node)
    return ERRNO.success
  }

  removeDir(base: DirNode, path: string): Errno {
    const place = locate(base, path)
    if (typeof place === 'number') return place
    const { dir, name, node } = place
    if (node === undefined) return ERRNO.noent
    if (node.kind !== 'dir') return ERRNO.notdir
    if (node.entries.size > 0) return ERRNO.notempty
    if (name === '') return ERRNO.busy
    this.#forget(dir, name, node)
    return ERRNO.success
  }

  rename(fromBase: DirNode, fromPath: string, toBase: DirNode, toPath: string): Errno {
    const from = locate(fromBase, fromPath)
    if (typeof from === 'number') return from
    const to = locate(toBase, toPath)
    if (typeof to === 'number') return to
    const { node } = from
    if (node === undefined) return ERRNO.noent
    if (from.name === '' || to.name === '') return ERRNO.busy
    if (node === to.node) return ERRNO.success
    if (node.kind === 'file') {
      if (from.asDir || to.asDir) return ERRNO.notdir
      if (to.node?.kind === 'dir') return ERRNO.isdir
      node.pristine = false
    } else {
      if (to.node?.kind === 'file') return ERRNO.notdir
      if (to.node !== undefined && to.node.entries.size > 0) return ERRNO.notempty
      // A directory inside itself would be a circle that nothing can reach.
      for (let up: DirNode | undefined = to.dir; up; up = up.parent)
        if (up === node) return ERRNO.inval
    }
    if (!this.#lives(to.dir)) return ERRNO.noent
    if (to.node !== undefined) this.#forget(to.dir, to.name, to.node)
    from.dir.entries.delete(from.name)
    to.dir.entries.set(to.name, node)
    if (node.kind === 'dir') node.parent = to.dir
    return ERRNO.success
  }

  // A removed directory may still be open; nothing may be made in it, for nobody would see it.
  #lives(dir: DirNode): boolean {
    return dir === this.root || dir.parent !== undefined
  }

  #forget(dir: DirNode, name: string, node: TreeNode): void {
    dir.entries.delete(name)
    if (node.kind === 'dir') {
      node.parent = undefined
      this.quota.give(node.charged)
    } else {
      node.linked = false
      releaseIfGone(node, this.quota)
    }
  }

  #descend(names: readonly string[]): DirNode | undefined {
    let dir = this.root
    for (const name of names) {
      const next = dir.entries.get(name) ?? newDir(++this.#inodes, dir, 0, this.#now)
      if (next.kind !== 'dir') return undefined
      dir.entries.set(name, next)
      dir = next
    }
    return dir
  }
}

/** Every file below `top` that the task made or changed, with its path; depth is the guest's choice. */
export function* changedFiles(
  top: DirNode,
  path: string,
): Generator<{ readonly path: string; readonly file: FileNode }> {
  const rest: [string, DirNode][] = [[path === '/' ? '' : path, top]]
  for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
    const [at, dir] = next
    for (const [name, node] of dir.entries) {
      if (node.kind === 'dir') rest.push([`${at}/${name}`, node])
      else if (!node.pristine) yield { path: `${at}/${name}`, file: node }
    }
  }
}
