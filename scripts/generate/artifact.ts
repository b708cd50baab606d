// Writes the ABI and bytecode that the chain adapter deploys and calls, from a fresh build.
// With --check: writes nothing and exits 1 when the checked-in file differs.
import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

import hre from 'hardhat'

const TARGET = fileURLToPath(
  new URL('../../node/adapters/chain/compute-escrow.artifact.json', import.meta.url),
)
const CONTRACTS = ['ComputeEscrow', 'TestToken'] as const

async function render(): Promise<string> {
  await hre.tasks.getTask('build').run({ quiet: true })
  const entries = await Promise.all(
    CONTRACTS.map(async (name) => {
      const { abi, bytecode } = await hre.artifacts.readArtifact(name)
      return [name, { abi, bytecode }] as const
    }),
  )
  return `${JSON.stringify(Object.fromEntries(entries), null, 1)}\n`
}

const fresh = await render()
if (process.argv.includes('--check')) {
  const kept = await readFile(TARGET, 'utf8').catch(() => '')
  if (kept !== fresh) {
    process.stderr.write(
      'compute-escrow.artifact.json differs from the contracts.\nRun: node scripts/generate/artifact.ts\n',
    )
    process.exitCode = 1
  }
} else {
  await writeFile(TARGET, fresh)
}
