// Writes where the escrow keeps what, from the compiler: a change of it changes what every slot read off chain means,
// and a slot more costs every claim. With --check: writes nothing and exits 1 when the checked-in file differs.
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

import hre from 'hardhat'

const TARGET = fileURLToPath(new URL('../../contracts/ComputeEscrow.storage.json', import.meta.url))
const CONTRACT = 'contracts/ComputeEscrow.sol:ComputeEscrow'
/** Runs in the escrow's storage, so it must see the same variables in the same places. */
const CASES = 'contracts/EscrowCases.sol:EscrowCases'

interface Variable {
  readonly label: string
  readonly slot: string
  readonly offset: number
  readonly type: string
}

interface StorageType {
  readonly label: string
  readonly numberOfBytes: string
  readonly members?: readonly Variable[]
}

interface StorageLayout {
  readonly storage: readonly Variable[]
  readonly types: Readonly<Record<string, StorageType>> | null
}

interface BuildOutput {
  readonly output: {
    readonly contracts: Readonly<
      Record<string, Readonly<Record<string, { readonly storageLayout?: StorageLayout }>>>
    >
  }
}

async function layoutOf(contract: string): Promise<StorageLayout> {
  await hre.tasks.getTask('build').run({ quiet: true })
  const build = await hre.artifacts.getBuildInfoId(contract)
  assert.ok(build !== undefined, `${contract} is not built`)
  const file = await hre.artifacts.getBuildInfoOutputPath(build)
  assert.ok(file !== undefined, `${build} has no output`)
  const { output } = JSON.parse(await readFile(file, 'utf8')) as BuildOutput
  const [source = '', name = ''] = contract.split(':')
  const layout = output.contracts[`project/${source}`]?.[name]?.storageLayout
  assert.ok(layout !== undefined, 'the compiler was not asked for storage layouts')
  return layout
}

/** The compiler's names of types hold numbers of its syntax tree, which change with any edit; labels do not. */
function readable({ storage, types }: StorageLayout) {
  const at = ({ label, slot, offset, type }: Variable) => ({
    slot: Number(slot),
    offset,
    bytes: Number(types?.[type]?.numberOfBytes),
    type: types?.[type]?.label ?? type,
    label,
  })
  const structs = Object.values(types ?? {})
    .filter(({ members }) => members !== undefined)
    .toSorted((a, b) => (a.label < b.label ? -1 : 1))
    .map(({ label, numberOfBytes, members = [] }) => [
      label,
      { bytes: Number(numberOfBytes), members: members.map(at) },
    ])
  return {
    storage: storage.map(at),
    structs: Object.fromEntries(structs) as Record<string, unknown>,
  }
}

/** One variable a line, so that a change reads as one. */
function render(layout: ReturnType<typeof readable>): string {
  return `${JSON.stringify(layout, null, 1)}\n`.replace(
    /\{\n\s+("slot"[^}]*?)\n\s+\}/g,
    (_, fields: string) => `{ ${fields.replaceAll(/\n\s+/g, ' ')} }`,
  )
}

const layout = readable(await layoutOf(CONTRACT))
const seenByCases = readable(await layoutOf(CASES)).storage
assert.deepEqual(seenByCases, layout.storage.slice(0, seenByCases.length), `${CASES} sees others`)
const fresh = render(layout)
if (process.argv.includes('--check')) {
  const kept = await readFile(TARGET, 'utf8').catch(() => '') // none yet: differs
  if (kept !== fresh) {
    process.stderr.write(
      `The storage of ComputeEscrow is not what contracts/ComputeEscrow.storage.json keeps. It is now:\n${fresh}If that is meant, run: node scripts/generate/storage-layout.ts\n`,
    )
    process.exitCode = 1
  }
} else {
  await writeFile(TARGET, fresh)
}
