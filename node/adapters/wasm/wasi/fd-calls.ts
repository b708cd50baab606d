import { ERRNO, FDFLAG, FILETYPE, type Errno } from './abi.ts'
import type { FileFd, OpenFd } from './fd-table.ts'
import { putFilestat, setTimes } from './filestat.ts'
import type { WasiCalls, WasiHost } from './host.ts'
import { resize } from './tree-node.ts'

/** What a descriptor is and may do; its size, times, closing and renumbering. */
export function fdCalls({ memory, tree, fds }: WasiHost): WasiCalls {
  const known = (fd: number): Errno => (fds.get(fd) === undefined ? ERRNO.badf : ERRNO.success)
  const file = (fd: number): FileFd | Errno => {
    const open = fds.get(fd)
    if (open === undefined) return ERRNO.badf
    return open.kind === 'file' ? open : ERRNO.inval
  }
  const filetype = (open: OpenFd) =>
    open.kind === 'dir'
      ? FILETYPE.directory
      : open.kind === 'file'
        ? FILETYPE.regular
        : FILETYPE.stream

  return {
    fd_advise: known,
    fd_datasync: known,
    fd_sync: known,
    fd_close: (fd: number) => fds.close(fd),
    fd_renumber: (from: number, to: number) => fds.renumber(from, to),
    fd_allocate: (fd: number, offset: bigint, length: bigint) => {
      const open = file(fd)
      if (typeof open === 'number') return open
      const end = Number(BigInt.asUintN(64, offset)) + Number(BigInt.asUintN(64, length))
      if (end > open.node.size) resize(open.node, end, tree.quota)
      return ERRNO.success
    },
    fd_fdstat_get: (fd: number, at: number) => {
      const open = fds.get(fd)
      if (open === undefined) return ERRNO.badf
      memory.setU16(at, filetype(open))
      memory.setU16(at + 2, open.flags)
      memory.setU32(at + 4, 0)
      memory.setU64(at + 8, open.rights)
      memory.setU64(at + 16, open.inheriting)
      return ERRNO.success
    },
    fd_fdstat_set_flags: (fd: number, flags: number) => {
      const open = fds.get(fd)
      if (open === undefined) return ERRNO.badf
      open.flags = flags & FDFLAG.all
      return ERRNO.success
    },
    fd_fdstat_set_rights: (fd: number, rights: bigint, inheriting: bigint) => {
      const open = fds.get(fd)
      if (open === undefined) return ERRNO.badf
      // Rights can be given up, never taken.
      if ((rights & ~open.rights) !== 0n || (inheriting & ~open.inheriting) !== 0n)
        return ERRNO.notcapable
      open.rights = rights
      open.inheriting = inheriting
      return ERRNO.success
    },
    fd_filestat_get: (fd: number, at: number) => {
      const open = fds.get(fd)
      if (open === undefined) return ERRNO.badf
      putFilestat(memory, at, 'node' in open ? open.node : undefined)
      return ERRNO.success
    },
    fd_filestat_set_size: (fd: number, size: bigint) => {
      const open = file(fd)
      if (typeof open === 'number') return open
      resize(open.node, Number(BigInt.asUintN(64, size)), tree.quota)
      return ERRNO.success
    },
    fd_filestat_set_times: (fd: number, accessed: bigint, modified: bigint, which: number) => {
      const open = fds.get(fd)
      if (open === undefined) return ERRNO.badf
      return 'node' in open ? setTimes(open.node, accessed, modified, which) : ERRNO.inval
    },
    fd_prestat_get: (fd: number, at: number) => {
      const open = fds.get(fd)
      if (open?.kind !== 'dir' || open.preopen === undefined) return ERRNO.badf
      memory.setU32(at, 0)
      memory.setU32(at + 4, Buffer.byteLength(open.preopen))
      return ERRNO.success
    },
    fd_prestat_dir_name: (fd: number, at: number, length: number) => {
      const open = fds.get(fd)
      if (open?.kind !== 'dir' || open.preopen === undefined) return ERRNO.badf
      const name = Buffer.from(open.preopen)
      if (length < name.byteLength) return ERRNO.nametoolong
      memory.slice(at, name.byteLength).set(name)
      return ERRNO.success
    },
  }
}
