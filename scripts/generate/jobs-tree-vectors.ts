// Writes test/vectors/jobs-tree.json: the roots over paid shares, and proofs of a share and its place.
// Both languages are tested against it, so nothing here uses the node's own tree: it is built top
// down, as RFC 9162, section 2.1, defines it.
// With --check: writes nothing and exits 1 when the checked-in file differs.
import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

import { AbiCoder, concat, id, keccak256, ZeroHash } from 'ethers'
import { format, resolveConfig } from 'prettier'

const TARGET = fileURLToPath(new URL('../../test/vectors/jobs-tree.json', import.meta.url))

/** Roots are listed for so many shares and every number below. */
const MOST_SHARES = 40
/** Up to so many shares every place is proven; above, the first, last and some between. */
const ALL_PLACES_UP_TO = 9

interface Share {
  readonly seq: number
  readonly agreement: string
  readonly amount: string
}

/** Sequence numbers have gaps, as those of shares that were never paid; the last fields are full. */
const shares: Share[] = Array.from({ length: MOST_SHARES }, (_, at) => ({
  seq: at === 0 ? Number.MAX_SAFE_INTEGER : 3 * at,
  agreement: id(`agreement ${at}`),
  amount: (at === 1 ? 2n ** 96n - 1n : BigInt(id(`amount ${at}`)) % 10n ** 20n).toString(),
}))
const leaves = shares.map(({ seq, agreement, amount }) => {
  const types = ['uint64', 'bytes32', 'uint96']
  return keccak256(keccak256(AbiCoder.defaultAbiCoder().encode(types, [seq, agreement, amount])))
})

/** Leaves of the left half: the largest power of two below `count`. */
function leftOf(count: number): number {
  return 2 ** Math.ceil(Math.log2(count) - 1)
}

function rootOf(all: readonly string[]): string {
  const [first] = all
  if (first === undefined) return ZeroHash
  if (all.length === 1) return first
  const left = leftOf(all.length)
  return keccak256(concat([rootOf(all.slice(0, left)), rootOf(all.slice(left))]))
}

function proofOf(all: readonly string[], at: number): string[] {
  if (all.length === 1) return []
  const left = leftOf(all.length)
  return at < left
    ? [...proofOf(all.slice(0, left), at), rootOf(all.slice(left))]
    : [...proofOf(all.slice(left), at - left), rootOf(all.slice(0, left))]
}

function placesOf(jobs: number): number[] {
  if (jobs <= ALL_PLACES_UP_TO) return Array.from({ length: jobs }, (_, at) => at)
  return [...new Set([0, leftOf(jobs) - 1, leftOf(jobs), jobs - 2, jobs - 1])]
}

const roots = Array.from({ length: MOST_SHARES + 1 }, (_, jobs) => rootOf(leaves.slice(0, jobs)))
const sizes = [1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 17, 33, 40]
const proofs = sizes.flatMap((jobs) =>
  placesOf(jobs).map((index) => ({
    ...shares[index],
    leaf: leaves[index],
    index,
    jobs,
    root: roots[jobs],
    proof: proofOf(leaves.slice(0, jobs), index),
  })),
)
const style = await resolveConfig(TARGET)
const fresh = await format(JSON.stringify({ shares, roots, proofs }), { ...style, parser: 'json' })

if (process.argv.includes('--check')) {
  const kept = await readFile(TARGET, 'utf8').catch(() => '')
  if (kept !== fresh) {
    process.stderr.write(
      'jobs-tree.json differs from its shares.\nRun: node scripts/generate/jobs-tree-vectors.ts\n',
    )
    process.exitCode = 1
  }
} else {
  await writeFile(TARGET, fresh)
}
