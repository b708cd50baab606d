import { ERRNO, FILETYPE, TIME, type Errno } from './abi.ts'
import type { GuestMemory } from './guest-memory.ts'
import type { TreeNode } from './tree-node.ts'

const FILESTAT_BYTES = 64

/** Writes a `filestat` at `at`: of a node, or of a stream when there is none. */
export function putFilestat(memory: GuestMemory, at: number, node: TreeNode | undefined): void {
  memory.slice(at, FILESTAT_BYTES).fill(0)
  if (node === undefined) {
    memory.setU8(at + 16, FILETYPE.stream)
    memory.setU64(at + 24, 1n)
    return
  }
  memory.setU64(at, 1n)
  memory.setU64(at + 8, node.inode)
  memory.setU8(at + 16, node.kind === 'dir' ? FILETYPE.directory : FILETYPE.regular)
  memory.setU64(at + 24, 1n)
  memory.setU64(at + 32, node.kind === 'dir' ? 0n : BigInt(node.size))
  memory.setU64(at + 40, node.times.accessed)
  memory.setU64(at + 48, node.times.modified)
  memory.setU64(at + 56, node.times.changed)
}

/** Sets the times that `which` names. */
export function setTimes(node: TreeNode, accessed: bigint, modified: bigint, which: number): Errno {
  const both = (a: number, b: number) => (which & a) !== 0 && (which & b) !== 0
  if (both(TIME.access, TIME.accessNow) || both(TIME.modified, TIME.modifiedNow)) return ERRNO.inval
  const { times } = node
  const now = times.now()
  if (which & TIME.access) times.accessed = BigInt.asUintN(64, accessed)
  if (which & TIME.accessNow) times.accessed = now
  if (which & TIME.modified) times.modified = BigInt.asUintN(64, modified)
  if (which & TIME.modifiedNow) times.modified = now
  times.changed = now
  return ERRNO.success
}
