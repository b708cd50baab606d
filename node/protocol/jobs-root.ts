import { concat, keccak256 } from 'ethers'
import { ZERO_BYTES32, type Bytes32, type Hex } from '../domain/ids.ts'
import type { PaidShare } from '../domain/voucher.ts'

/**
 * A Merkle tree over paid shares that only grows: its full subtrees, the largest first. That is all
 * it takes to add a share or to know the root, so both cost the logarithm of what was paid before.
 */
export interface JobsTree {
  readonly jobs: number
  readonly peaks: readonly Bytes32[]
}

/** The tree over nothing. */
export const NO_JOBS: JobsTree = { jobs: 0, peaks: [] }

/** The tree with one more share at its end. */
export function withShare({ jobs, peaks }: JobsTree, share: PaidShare): JobsTree {
  const higher = [...peaks]
  let node = leafOf(share)
  for (let rest = jobs; rest % 2 === 1; rest = (rest - 1) / 2)
    node = pair(higher.pop() ?? ZERO_BYTES32, node)
  return { jobs: jobs + 1, peaks: [...higher, node] }
}

/**
 * The root: an inner node is the hash of left and right, leaves are hashed twice so that an inner
 * node can never pass for one, an odd node moves up unpaired. Of nothing, the zero hash.
 */
export function rootOf({ peaks }: JobsTree): Bytes32 {
  const last = peaks.at(-1)
  if (last === undefined) return ZERO_BYTES32
  return peaks.slice(0, -1).reduceRight((right, peak) => pair(peak, right), last)
}

/** The root over these shares. */
export function jobsRoot(paid: readonly PaidShare[]): Bytes32 {
  return rootOf(paid.reduce(withShare, NO_JOBS))
}

/** The siblings that prove the paid share at a place, counted from 0, under {@link jobsRoot}. */
export function jobsProof(paid: readonly PaidShare[], at: number): Bytes32[] {
  const proof: Bytes32[] = []
  let level = paid.map(leafOf)
  let index = at
  while (level.length > 1) {
    const sibling = level[index ^ 1]
    if (sibling !== undefined) proof.push(sibling)
    level = parents(level)
    index >>= 1
  }
  return proof
}

/**
 * The root that `proof` leads to from the paid share at `index` of `jobs`, or `undefined` when there
 * is no such place or its proof has another length. Source: RFC 9162, section 2.1.3.2.
 */
export function rootFromProof(
  share: PaidShare,
  index: number,
  jobs: number,
  proof: readonly Bytes32[],
): Bytes32 | undefined {
  if (!Number.isSafeInteger(jobs) || !Number.isSafeInteger(index)) return undefined
  if (index < 0 || index >= jobs) return undefined
  let node = leafOf(share)
  let place = index
  let used = 0
  for (let last = jobs - 1; last > 0; last = Math.floor(last / 2)) {
    const isRight = place % 2 === 1
    if (isRight || place < last) {
      const sibling = proof[used++]
      if (sibling === undefined) return undefined
      node = isRight ? pair(sibling, node) : pair(node, sibling)
    }
    place = Math.floor(place / 2)
  }
  return used === proof.length ? node : undefined
}

/** keccak(keccak(abi.encode(uint64 seq, bytes32 agreement, uint96 amount))). */
function leafOf({ seq, agreement, amount }: PaidShare): Bytes32 {
  return keccak256(keccak256(concat([word(BigInt(seq)), agreement, word(amount)]))) as Bytes32
}

function parents(level: readonly Bytes32[]): Bytes32[] {
  const next: Bytes32[] = []
  for (let at = 0; at < level.length; at += 2) {
    const left = level[at] ?? ZERO_BYTES32
    const right = level[at + 1]
    next.push(right === undefined ? left : pair(left, right))
  }
  return next
}

function pair(left: Bytes32, right: Bytes32): Bytes32 {
  return keccak256(concat([left, right])) as Bytes32
}

function word(value: bigint): Hex {
  return `0x${value.toString(16).padStart(64, '0')}`
}
