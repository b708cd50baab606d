import { ERRNO, FILETYPE } from './abi.ts'
import type { WasiCalls, WasiHost } from './host.ts'
import type { DirNode } from './tree-node.ts'

const DIRENT_BYTES = 24

/** Listing a directory; the cookie is the index of the next name. */
export function readdirCall({ memory, fds }: WasiHost): WasiCalls {
  return {
    fd_readdir: (fd: number, at: number, length: number, cookie: bigint, usedAt: number) => {
      const open = fds.get(fd)
      if (open === undefined) return ERRNO.badf
      if (open.kind !== 'dir') return ERRNO.notdir
      const room = memory.slice(at, length)
      // Names made or removed while a reader walks must not shift the others under it.
      if (cookie === 0n || open.listing === undefined)
        open.listing = ['.', '..', ...open.node.entries.keys()]
      const { listing } = open
      let used = 0
      for (let n = Number(BigInt.asUintN(64, cookie)); n < listing.length && used < length; n++) {
        const entry = dirent(open.node, listing[n] ?? '', n + 1)
        if (entry === undefined) continue
        const fitting = entry.subarray(0, length - used)
        room.set(fitting, used)
        used += fitting.byteLength
      }
      memory.setU32(usedAt, used)
      return ERRNO.success
    },
  }
}

function dirent(dir: DirNode, name: string, next: number): Uint8Array | undefined {
  const node = name === '.' ? dir : name === '..' ? (dir.parent ?? dir) : dir.entries.get(name)
  if (node === undefined) return undefined
  const text = Buffer.from(name)
  const entry = Buffer.alloc(DIRENT_BYTES + text.byteLength)
  entry.writeBigUInt64LE(BigInt(next), 0)
  entry.writeBigUInt64LE(node.inode, 8)
  entry.writeUInt32LE(text.byteLength, 16)
  entry.writeUInt8(node.kind === 'dir' ? FILETYPE.directory : FILETYPE.regular, 20)
  text.copy(entry, DIRENT_BYTES)
  return entry
}
