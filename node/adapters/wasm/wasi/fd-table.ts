import { ERRNO, RIGHT, type Errno } from './abi.ts'
import type { OutputStream } from '../../../ports/sandbox.ts'
import type { DiskQuota } from './disk-quota.ts'
import { releaseIfGone, type DirNode, type FileNode } from './tree-node.ts'

/** Most descriptors a guest may have open. Source: the usual soft limit of Linux. */
const MAX_FDS = 1024

interface Rights {
  rights: bigint
  inheriting: bigint
  flags: number
}
/** Reads from the task's stdin. */
export interface StdinFd extends Rights {
  readonly kind: 'stdin'
  readonly bytes: Uint8Array
  position: number
}
/** Writes to the task's stdout or stderr. */
export interface OutputFd extends Rights {
  readonly kind: 'output'
  readonly stream: OutputStream
}
/** An open regular file. */
export interface FileFd extends Rights {
  readonly kind: 'file'
  readonly node: FileNode
  position: number
}
/** An open directory. */
export interface DirFd extends Rights {
  readonly kind: 'dir'
  readonly node: DirNode
  /** The name under which it was opened beforehand. */
  readonly preopen?: string
  /** The names as `fd_readdir` first saw them, so that cookies stay true. */
  listing?: readonly string[]
}
/** What a descriptor stands for. */
export type OpenFd = StdinFd | OutputFd | FileFd | DirFd

/** A guest's descriptors: 0 to 2 are its streams, 3 is `/`. */
export class FdTable {
  readonly #open: (OpenFd | undefined)[] = []
  readonly #quota: DiskQuota

  constructor(quota: DiskQuota, stdin: Uint8Array, root: DirNode) {
    this.#quota = quota
    const rights = { rights: RIGHT.all, inheriting: RIGHT.all, flags: 0 }
    this.#open.push(
      { kind: 'stdin', bytes: stdin, position: 0, ...rights },
      { kind: 'output', stream: 1, ...rights },
      { kind: 'output', stream: 2, ...rights },
      { kind: 'dir', node: root, preopen: '/', ...rights },
    )
  }

  get(fd: number): OpenFd | undefined {
    return this.#open[fd]
  }

  /** The directory behind `fd`. */
  dir(fd: number): DirNode | Errno {
    const open = this.get(fd)
    if (open === undefined) return ERRNO.badf
    return open.kind === 'dir' ? open.node : ERRNO.notdir
  }

  /** The lowest free number, which now stands for `open`; `undefined` when there are too many. */
  add(open: OpenFd): number | undefined {
    let fd = this.#open.indexOf(undefined)
    if (fd === -1) fd = this.#open.length
    if (fd >= MAX_FDS) return undefined
    this.#open[fd] = open
    if (open.kind === 'file') open.node.opens += 1
    return fd
  }

  close(fd: number): Errno {
    const open = this.get(fd)
    if (open === undefined) return ERRNO.badf
    this.#open[fd] = undefined
    if (open.kind === 'file') {
      open.node.opens -= 1
      releaseIfGone(open.node, this.#quota)
    }
    return ERRNO.success
  }

  /** Moves `from` over `to`, closing what was there. */
  renumber(from: number, to: number): Errno {
    const open = this.get(from)
    if (open === undefined || this.get(to) === undefined) return ERRNO.badf
    if (from === to) return ERRNO.success
    this.close(to)
    this.#open[to] = open
    this.#open[from] = undefined
    return ERRNO.success
  }
}
