import { concat, keccak256 } from 'ethers'
import { ZERO_BYTES32, type Bytes32, type Hex } from '../domain/ids.ts'
import type { PaidShare } from '../domain/voucher.ts'

/**
 * Merkle tree over paid shares, as OpenZeppelin's MerkleProof verifies it: sorted pairs, leaves
 * hashed twice so that an inner node can never pass for one; an odd node moves up unpaired.
 */
export function jobsRoot(paid: readonly PaidShare[]): Bytes32 {
  let level = paid.map(leafOf)
  while (level.length > 1) level = parents(level)
  return level[0] ?? ZERO_BYTES32
}

/** The siblings that prove one paid share under {@link jobsRoot}. */
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

/** The root that `proof` leads to from one paid share. */
export function rootFromProof(share: PaidShare, proof: readonly Bytes32[]): Bytes32 {
  return proof.reduce<Bytes32>(pair, leafOf(share))
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

function pair(a: Bytes32, b: Bytes32): Bytes32 {
  return keccak256(a < b ? concat([a, b]) : concat([b, a])) as Bytes32
}

function word(value: bigint): Hex {
  return `0x${value.toString(16).padStart(64, '0')}`
}
