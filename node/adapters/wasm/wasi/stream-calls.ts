import { ERRNO, FDFLAG, RIGHT, WHENCE, type Errno } from './abi.ts'
import type { FileFd, OpenFd } from './fd-table.ts'
import type { WasiCalls, WasiHost } from './host.ts'
import { readAt, writeAt } from './tree-node.ts'

/** Size of an `iovec`: pointer and length. */
const IOVEC_BYTES = 8

/** Reading, writing and seeking. */
export function streamCalls({ memory, tree, fds, print }: WasiHost): WasiCalls {
  function* pieces(at: number, count: number): Generator<Uint8Array> {
    for (let n = 0; n < count; n++) {
      const entry = at + n * IOVEC_BYTES
      yield memory.slice(memory.u32(entry), memory.u32(entry + 4))
    }
  }

  function may(fd: number, right: bigint): OpenFd | Errno {
    const open = fds.get(fd)
    if (open === undefined) return ERRNO.badf
    return (open.rights & right) === 0n ? ERRNO.notcapable : open
  }

  function readFile(open: FileFd, from: number, iovecs: number, count: number): number {
    let done = 0
    for (const piece of pieces(iovecs, count)) {
      const got = readAt(open.node, from + done, piece)
      done += got
      if (got < piece.byteLength) break
    }
    return done
  }

  function writeFile(open: FileFd, from: number, iovecs: number, count: number): number {
    let done = 0
    for (const piece of pieces(iovecs, count)) {
      writeAt(open.node, from + done, piece, tree.quota)
      done += piece.byteLength
    }
    return done
  }

  function seek(open: FileFd, offset: bigint, whence: number): number | undefined {
    const from = new Map<number, number>([
      [WHENCE.set, 0],
      [WHENCE.current, open.position],
      [WHENCE.end, open.node.size],
    ])
    const base = from.get(whence)
    if (base === undefined) return undefined
    const position = BigInt(base) + offset
    return position < 0n || position > BigInt(Number.MAX_SAFE_INTEGER)
      ? undefined
      : Number(position)
  }

  return {
    fd_read: (fd: number, iovecs: number, count: number, doneAt: number) => {
      const open = may(fd, RIGHT.read)
      if (typeof open === 'number') return open
      let done = 0
      if (open.kind === 'stdin') {
        for (const piece of pieces(iovecs, count)) {
          const part = open.bytes.subarray(open.position, open.position + piece.byteLength)
          piece.set(part)
          open.position += part.byteLength
          done += part.byteLength
        }
      } else if (open.kind === 'file') {
        done = readFile(open, open.position, iovecs, count)
        open.position += done
      } else return open.kind === 'dir' ? ERRNO.isdir : ERRNO.badf
      memory.setU32(doneAt, done)
      return ERRNO.success
    },
    fd_write: (fd: number, iovecs: number, count: number, doneAt: number) => {
      const open = may(fd, RIGHT.write)
      if (typeof open === 'number') return open
      let done = 0
      if (open.kind === 'output') {
        for (const piece of pieces(iovecs, count)) {
          print(open.stream, piece)
          done += piece.byteLength
        }
      } else if (open.kind === 'file') {
        if ((open.flags & FDFLAG.append) !== 0) open.position = open.node.size
        done = writeFile(open, open.position, iovecs, count)
        open.position += done
      } else return open.kind === 'dir' ? ERRNO.isdir : ERRNO.badf
      memory.setU32(doneAt, done)
      return ERRNO.success
    },
    fd_pread: (fd: number, iovecs: number, count: number, offset: bigint, doneAt: number) => {
      const open = may(fd, RIGHT.read)
      if (typeof open === 'number') return open
      if (open.kind !== 'file') return ERRNO.spipe
      memory.setU32(doneAt, readFile(open, position(offset), iovecs, count))
      return ERRNO.success
    },
    fd_pwrite: (fd: number, iovecs: number, count: number, offset: bigint, doneAt: number) => {
      const open = may(fd, RIGHT.write)
      if (typeof open === 'number') return open
      if (open.kind !== 'file') return ERRNO.spipe
      memory.setU32(doneAt, writeFile(open, position(offset), iovecs, count))
      return ERRNO.success
    },
    fd_seek: (fd: number, offset: bigint, whence: number, positionAt: number) => {
      const open = fds.get(fd)
      if (open === undefined) return ERRNO.badf
      if (open.kind !== 'file') return ERRNO.spipe
      const to = seek(open, offset, whence)
      if (to === undefined) return ERRNO.inval
      open.position = to
      memory.setU64(positionAt, BigInt(to))
      return ERRNO.success
    },
    fd_tell: (fd: number, positionAt: number) => {
      const open = fds.get(fd)
      if (open === undefined) return ERRNO.badf
      if (open.kind !== 'file') return ERRNO.spipe
      memory.setU64(positionAt, BigInt(open.position))
      return ERRNO.success
    },
  }
}

// Unsigned in the ABI; past any quota either way, so the exact value no longer matters there.
function position(offset: bigint): number {
  return Number(BigInt.asUintN(64, offset))
}
