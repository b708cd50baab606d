import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { AbiCoder, keccak256 } from 'ethers'
import fc from 'fast-check'
import { ZERO_BYTES32, type Bytes32 } from '../../../node/domain/ids.ts'
import type { PaidShare } from '../../../node/domain/voucher.ts'
import { toHex } from '../../../node/protocol/bytes.ts'
import { jobsProof, jobsRoot, rootFromProof } from '../../../node/protocol/jobs-root.ts'
import { bytes32Of } from '../../support/messages.ts'

/** Made without the node's own tree; the contract's tests read it too. */
const vectors = JSON.parse(
  readFileSync(new URL('../../vectors/jobs-tree.json', import.meta.url), 'utf8'),
) as {
  shares: { seq: number; agreement: Bytes32; amount: string }[]
  roots: Bytes32[]
  proofs: { index: number; jobs: number; root: Bytes32; proof: Bytes32[] }[]
}
const ALL: readonly PaidShare[] = vectors.shares.map((each) => ({
  ...each,
  amount: BigInt(each.amount),
}))

const paid = fc.uniqueArray(
  fc.record({
    seq: fc.nat(2 ** 31),
    agreement: fc
      .uint8Array({ minLength: 32, maxLength: 32 })
      .map((bytes): Bytes32 => toHex(bytes)),
    amount: fc.bigInt(0n, 2n ** 96n - 1n),
  }),
  { minLength: 1, maxLength: 40, selector: ({ agreement }) => agreement },
)

/** The shapes that differ; trying all places of all counts takes seconds. */
const COUNTS_WITH_ALL_WRONG_PLACES = new Set([1, 2, 3, 4, 5, 6, 7, 8, 11, 21])

const shareAt = (at: number): PaidShare => ALL[at] ?? assert.fail()

test('roots of every count are those of the vectors', () => {
  assert.ok(vectors.roots.length > 40)
  for (const [count, root] of vectors.roots.entries())
    assert.equal(jobsRoot(ALL.slice(0, count)), root, `${count} shares`)
  assert.equal(new Set(vectors.roots).size, vectors.roots.length)
})

test('proofs of the vectors are made, and lead to their roots', () => {
  assert.ok(vectors.proofs.length > 50)
  for (const { index, jobs, root, proof } of vectors.proofs) {
    assert.deepEqual(jobsProof(ALL.slice(0, jobs), index), proof, `${index} of ${jobs}`)
    assert.equal(rootFromProof(shareAt(index), index, jobs, proof), root, `${index} of ${jobs}`)
  }
})

test('every place of every count up to 40 proves itself, and no other place', () => {
  for (let jobs = 1; jobs <= 40; jobs++) {
    const root = jobsRoot(ALL.slice(0, jobs))
    for (let at = 0; at < jobs; at++) {
      const proof = jobsProof(ALL.slice(0, jobs), at)
      assert.equal(rootFromProof(shareAt(at), at, jobs, proof), root, `${at} of ${jobs}`)
      if (!COUNTS_WITH_ALL_WRONG_PLACES.has(jobs)) continue
      for (let index = -1; index <= jobs; index++) {
        const led = rootFromProof(shareAt(at), index, jobs, proof)
        assert.equal(led === root, index === at, `${at} of ${jobs} as ${index}`)
      }
    }
  }
})

test('a leaf of random shares proves itself; changed in anything, it does not', () => {
  fc.assert(
    fc.property(paid, fc.nat(), fc.nat(), (all, place, other) => {
      const at = place % all.length
      const leaf = all[at] ?? assert.fail()
      const proof = jobsProof(all, at)
      const root = jobsRoot(all)
      const led = (share: PaidShare, index = at, siblings = proof) =>
        rootFromProof(share, index, all.length, siblings)
      assert.equal(led(leaf), root)
      assert.notEqual(led({ ...leaf, amount: leaf.amount + 1n }), root)
      assert.notEqual(led({ ...leaf, seq: leaf.seq + 1 }), root)
      assert.notEqual(led({ ...leaf, agreement: bytes32Of('f0') }), root)
      const index = other % all.length
      assert.equal(led(leaf, index) === root, index === at)
      assert.equal(led(leaf, at, [...proof, ZERO_BYTES32]), undefined)
      if (proof.length > 0) assert.equal(led(leaf, at, proof.slice(1)), undefined)
    }),
  )
})

test('an inner node does not pass for a share, and siblings cannot change sides', () => {
  const [a, b] = [shareAt(0), shareAt(1)]
  const root = jobsRoot([a, b])
  assert.notEqual(jobsRoot([b, a]), root)
  assert.equal(rootFromProof(a, 1, 2, jobsProof([a, b], 0)) === root, false)
})

test('a place that is none leads nowhere', () => {
  const proof = jobsProof(ALL.slice(0, 4), 1)
  for (const [index, jobs] of [
    [4, 4],
    [-1, 4],
    [1.5, 4],
    [1, Number.NaN],
    [1, 2 ** 60],
    [0, 0],
  ] as const)
    assert.equal(rootFromProof(shareAt(1), index, jobs, proof), undefined, `${index} of ${jobs}`)
})

test('no shares: the zero root; one share: its leaf, as the contract hashes it', () => {
  assert.equal(jobsRoot([]), ZERO_BYTES32)
  const { seq, agreement, amount } = shareAt(3)
  const data = AbiCoder.defaultAbiCoder().encode(
    ['uint64', 'bytes32', 'uint96'],
    [seq, agreement, amount],
  )
  assert.equal(jobsRoot([shareAt(3)]), keccak256(keccak256(data)))
})
