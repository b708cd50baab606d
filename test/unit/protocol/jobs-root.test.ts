import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AbiCoder, keccak256 } from 'ethers'
import fc from 'fast-check'
import { ZERO_BYTES32, type Bytes32 } from '../../../node/domain/ids.ts'
import type { PaidShare } from '../../../node/domain/voucher.ts'
import { toHex } from '../../../node/protocol/bytes.ts'
import { jobsProof, jobsRoot, rootFromProof } from '../../../node/protocol/jobs-root.ts'
import { bytes32Of } from '../../support/messages.ts'

const share = (seq: number): PaidShare => ({
  seq,
  agreement: `0x${seq.toString(16).padStart(64, '0')}`,
  amount: BigInt(seq) * 10n,
})
const shares = (count: number) => Array.from({ length: count }, (_, at) => share(at + 1))
const paid = fc.uniqueArray(
  fc.record({
    seq: fc.nat(2 ** 31),
    agreement: fc
      .uint8Array({ minLength: 32, maxLength: 32 })
      .map((bytes): Bytes32 => toHex(bytes)),
    amount: fc.bigInt(0n, 2n ** 96n - 1n),
  }),
  { minLength: 1, maxLength: 20, selector: ({ agreement }) => agreement },
)

test('every leaf of every count proves itself, odd counts too', () => {
  for (let count = 1; count <= 17; count++) {
    const all = shares(count)
    const root = jobsRoot(all)
    for (const [at, each] of all.entries())
      assert.equal(rootFromProof(each, jobsProof(all, at)), root, `${at} of ${count}`)
  }
})

test('a leaf of random shares proves itself; changed in anything, it does not', () => {
  fc.assert(
    fc.property(paid, fc.nat(), (all, place) => {
      const at = place % all.length
      const leaf = all[at] ?? assert.fail()
      const proof = jobsProof(all, at)
      const root = jobsRoot(all)
      assert.equal(rootFromProof(leaf, proof), root)
      assert.notEqual(rootFromProof({ ...leaf, amount: leaf.amount + 1n }, proof), root)
      assert.notEqual(rootFromProof({ ...leaf, seq: leaf.seq + 1 }, proof), root)
      assert.notEqual(rootFromProof({ ...leaf, agreement: bytes32Of('f0') }, proof), root)
      assert.notEqual(rootFromProof(leaf, [...proof, ZERO_BYTES32]), root)
    }),
  )
})

test('one more or one fewer share is another root', () => {
  const roots = Array.from({ length: 20 }, (_, count) => jobsRoot(shares(count)))
  assert.equal(new Set(roots).size, roots.length)
})

test('no shares: the zero root; one share: its leaf, as the contract hashes it', () => {
  assert.equal(jobsRoot([]), ZERO_BYTES32)
  const { seq, agreement, amount } = share(3)
  const data = AbiCoder.defaultAbiCoder().encode(
    ['uint64', 'bytes32', 'uint96'],
    [seq, agreement, amount],
  )
  assert.equal(jobsRoot([share(3)]), keccak256(keccak256(data)))
})
