import { ERRNO, FDFLAG, OFLAG, RIGHT, type Errno } from './abi.ts'
import { putFilestat, setTimes } from './filestat.ts'
import type { WasiCalls, WasiHost } from './host.ts'
import { locate, MAX_PATH_BYTES } from './paths.ts'
import { refusedCalls } from './refused-calls.ts'
import type { DirNode, TreeNode } from './tree-node.ts'

/** Names: opening, making, removing, renaming. Links cannot be made, so none can lead astray. */
export function pathCalls(host: WasiHost): WasiCalls {
  const { memory, tree, fds } = host
  const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

  function named<T>(fd: number, at: number, length: number, use: Use<T>): T | Errno {
    const dir = fds.dir(fd)
    if (typeof dir === 'number') return dir
    if (length > MAX_PATH_BYTES) return ERRNO.nametoolong
    const bytes = memory.slice(at, length)
    let path
    try {
      path = utf8.decode(bytes)
    } catch {
      // Not text: no file of this tree can have that name.
      return ERRNO.inval
    }
    return use(dir, path)
  }

  function existing(fd: number, at: number, length: number): TreeNode | Errno {
    return named(fd, at, length, (dir, path) => {
      const place = locate(dir, path)
      if (typeof place === 'number') return place
      if (place.asDir && place.node?.kind === 'file') return ERRNO.notdir
      return place.node ?? ERRNO.noent
    })
  }

  return {
    path_open: (
      fd: number,
      _lookup: number,
      at: number,
      length: number,
      oflags: number,
      rights: bigint,
      inheriting: bigint,
      flags: number,
      fdAt: number,
    ) =>
      named(fd, at, length, (dir, path) => {
        // The answer's place is checked first: a call that fails must leave nothing open.
        memory.setU32(fdAt, 0)
        const writes = (rights & RIGHT.write) !== 0n
        const node = tree.open(dir, path, oflags)
        if (typeof node === 'number') return node
        if (node.kind === 'dir' && writes && (oflags & OFLAG.directory) === 0) return ERRNO.isdir
        const how = {
          rights: BigInt.asUintN(64, rights) & RIGHT.all,
          inheriting: BigInt.asUintN(64, inheriting) & RIGHT.all,
          flags: flags & FDFLAG.all,
        }
        const opened = fds.add(
          node.kind === 'dir'
            ? { kind: 'dir', node, ...how }
            : { kind: 'file', node, position: 0, ...how },
        )
        if (opened === undefined) return ERRNO.mfile
        memory.setU32(fdAt, opened)
        return ERRNO.success
      }),
    path_create_directory: (fd: number, at: number, length: number) =>
      named(fd, at, length, (dir, path) => tree.makeDir(dir, path)),
    path_remove_directory: (fd: number, at: number, length: number) =>
      named(fd, at, length, (dir, path) => tree.removeDir(dir, path)),
    path_unlink_file: (fd: number, at: number, length: number) =>
      named(fd, at, length, (dir, path) => tree.unlink(dir, path)),
    path_rename: (
      fd: number,
      at: number,
      length: number,
      toFd: number,
      toAt: number,
      toLength: number,
    ) =>
      named(fd, at, length, (from, path) =>
        named(toFd, toAt, toLength, (to, toPath) => tree.rename(from, path, to, toPath)),
      ),
    path_filestat_get: (fd: number, _lookup: number, at: number, length: number, to: number) => {
      const node = existing(fd, at, length)
      if (typeof node === 'number') return node
      putFilestat(memory, to, node)
      return ERRNO.success
    },
    path_filestat_set_times: (
      fd: number,
      _lookup: number,
      at: number,
      length: number,
      accessed: bigint,
      modified: bigint,
      which: number,
    ) => {
      const node = existing(fd, at, length)
      return typeof node === 'number' ? node : setTimes(node, accessed, modified, which)
    },
    path_readlink: (fd: number, at: number, length: number) => {
      const node = existing(fd, at, length)
      return typeof node === 'number' ? node : ERRNO.inval
    },
    ...refusedCalls(host, ['path_link', 'path_symlink']),
  }
}

type Use<T> = (dir: DirNode, path: string) => T
