import type { DiskQuota } from './disk-quota.ts'

/** When a node was used; nanoseconds since 1970. */
interface Times {
  accessed: bigint
  modified: bigint
  changed: bigint
  /** The time now. */
  readonly now: () => bigint
}

/** Tells the time, nanoseconds since 1970. */
type Now = Times['now']

/** A regular file: growable bytes. */
export interface FileNode {
  readonly kind: 'file'
  readonly inode: bigint
  readonly times: Times
  /** Room for the file; its first `size` bytes are the content. */
  data: Uint8Array
  size: number
  /** Counted against the quota, name and bytes; given back when the last use ends. */
  charged: number
  /** Whether a name leads here; an unlinked file lives on while it is open. */
  linked: boolean
  opens: number
  /** Given as an input and not written since. */
  pristine: boolean
}

/** A directory. It has one name only, so it knows its parent. */
export interface DirNode {
  readonly kind: 'dir'
  readonly inode: bigint
  readonly times: Times
  readonly entries: Map<string, TreeNode>
  /** Counted against the quota. */
  readonly charged: number
  /** `undefined` at the root and once removed. */
  parent: DirNode | undefined
}

/** What a name can stand for. There are no links, so a walk can never leave the tree. */
export type TreeNode = FileNode | DirNode

/** Most that the room of a file grows ahead of its content, bytes. */
const MAX_SPARE_BYTES = 16 * 1024 * 1024

/** An empty directory. */
export function newDir(
  inode: bigint,
  parent: DirNode | undefined,
  charged: number,
  now: Now,
): DirNode {
  return { kind: 'dir', inode, times: newTimes(now), entries: new Map(), charged, parent }
}

/** An input file, which takes `bytes` over. */
export function givenFile(inode: bigint, bytes: Uint8Array, now: Now): FileNode {
  return newFile(inode, bytes, 0, true, now)
}

/** An empty file that the guest makes, `charged` for its name. */
export function madeFile(inode: bigint, charged: number, now: Now): FileNode {
  return newFile(inode, new Uint8Array(), charged, false, now)
}

function newFile(
  inode: bigint,
  bytes: Uint8Array,
  charged: number,
  pristine: boolean,
  now: Now,
): FileNode {
  return {
    kind: 'file',
    inode,
    times: newTimes(now),
    data: bytes,
    size: bytes.byteLength,
    charged,
    linked: true,
    opens: 0,
    pristine,
  }
}

/** Copies what the file has at `position` into `target`; answers how many bytes. */
export function readAt(file: FileNode, position: number, target: Uint8Array): number {
  const count = Math.min(target.byteLength, Math.max(0, file.size - position))
  target.set(file.data.subarray(position, position + count))
  return count
}

/** Writes `bytes` at `position`; a gap before it reads as zeros. */
export function writeAt(
  file: FileNode,
  position: number,
  bytes: Uint8Array,
  quota: DiskQuota,
): void {
  if (position + bytes.byteLength > file.size) resize(file, position + bytes.byteLength, quota)
  file.data.set(bytes, position)
  touch(file)
}

/** Cuts the file or extends it with zeros. */
export function resize(file: FileNode, size: number, quota: DiskQuota): void {
  if (size > file.size) quota.take(size - file.size)
  else quota.give(Math.min(file.charged, file.size - size))
  file.charged = Math.max(0, file.charged + size - file.size)
  if (size > file.data.byteLength) {
    const room = new Uint8Array(size + Math.min(size, MAX_SPARE_BYTES))
    room.set(file.data.subarray(0, file.size))
    file.data = room
  } else if (size < file.size) file.data.fill(0, size, file.size)
  file.size = size
  touch(file)
}

/** Gives a file's bytes back once nothing leads to it any more. */
export function releaseIfGone(file: FileNode, quota: DiskQuota): void {
  if (file.linked || file.opens > 0) return
  quota.give(file.charged)
  file.charged = 0
  file.size = 0
  file.data = new Uint8Array()
}

function touch(file: FileNode): void {
  file.pristine = false
  file.times.modified = file.times.changed = file.times.now()
}

function newTimes(now: Now): Times {
  const time = now()
  return { accessed: time, modified: time, changed: time, now }
}
