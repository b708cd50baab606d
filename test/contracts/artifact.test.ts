import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import test from 'node:test'

import { Interface } from 'ethers'
import hre from 'hardhat'

/** Largest contract a chain takes, bytes. Source: EIP-170. */
const MAX_CONTRACT_BYTES = 24_576
/** Largest creation code that a chain takes, bytes. Source: EIP-3860. */
const MAX_CREATION_BYTES = 49_152

const KEPT = new URL('../../node/adapters/chain/compute-escrow.artifact.json', import.meta.url)

/** What the escrow has beyond its interface, from OpenZeppelin's guards. */
const FROM_GUARDS = [
  'acceptOwnership()',
  'eip712Domain()',
  'owner()',
  'paused()',
  'pendingOwner()',
  'renounceOwnership()',
  'transferOwnership(address)',
]

function functionsOf(abi: readonly unknown[]): string[] {
  const names: string[] = []
  new Interface(abi as never).forEachFunction((fragment) => names.push(fragment.format('sighash')))
  return names.toSorted()
}

test('the escrow is its interface and its guards, and nothing else', async () => {
  const escrow = await hre.artifacts.readArtifact('ComputeEscrow')
  const promised = await hre.artifacts.readArtifact('IComputeEscrow')
  assert.deepEqual(
    functionsOf(escrow.abi),
    [...functionsOf(promised.abi), ...FROM_GUARDS].toSorted(),
  )
})

for (const name of ['ComputeEscrow', 'EscrowCases']) {
  test(`${name} fits into a contract, and its creation into a transaction`, async (t) => {
    const { bytecode, deployedBytecode } = await hre.artifacts.readArtifact(name)
    const [created, kept] = [bytecode, deployedBytecode].map((code) => (code.length - 2) / 2)
    assert.ok(created !== undefined && kept !== undefined)
    t.diagnostic(`${name}: ${kept} of ${MAX_CONTRACT_BYTES} bytes`)
    t.diagnostic(`${name}, creation code: ${created} of ${MAX_CREATION_BYTES} bytes`)
    assert.ok(kept <= MAX_CONTRACT_BYTES, `${kept} bytes`)
    assert.ok(created <= MAX_CREATION_BYTES, `${created} bytes`)
  })
}

test('the artifact that the node deploys is the one just built', async () => {
  const kept = JSON.parse(await readFile(KEPT, 'utf8')) as Record<string, unknown>
  assert.deepEqual(Object.keys(kept), ['ComputeEscrow', 'TestToken'])
  for (const name of ['ComputeEscrow', 'TestToken']) {
    const { abi, bytecode } = await hre.artifacts.readArtifact(name)
    assert.deepEqual(kept[name], { abi, bytecode })
  }
})
