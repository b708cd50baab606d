import { cp, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** What building and testing the contracts reads. */
const COPIED = [
  'contracts',
  'node',
  'package.json',
  'test/contracts',
  'test/vectors',
  'tsconfig.json',
]

/**
 * The repository's own build, but quick: the optimizer's steps take most of its time and change nothing that is
 * tested. What they shorten has to be allowed to be long.
 */
const QUICK_CONFIG = `
import repository from './repository.config.ts'
const { default: build } = repository.solidity.profiles
const [deployed, ...others] = build.compilers
const optimizer = {
  enabled: true,
  runs: 1,
  details: { yul: true, yulDetails: { stackAllocation: true, optimizerSteps: '' } },
}
const quick = { ...deployed, settings: { ...deployed.settings, optimizer } }
export default {
  ...repository,
  test: {
    solidity: { ...repository.test.solidity, invariant: { runs: 8, depth: 48, failOnRevert: true } },
  },
  networks: { default: { type: 'edr-simulated', allowUnlimitedContractSize: true } },
  solidity: {
    ...repository.solidity,
    profiles: { default: { ...build, compilers: [quick, ...others] } },
  },
}
`

/** A copy of what building and testing the contracts needs, to plant bugs in. */
export interface Workshop extends AsyncDisposable {
  readonly root: string
}

/** Opens a workshop in a temporary folder; with `like`, one that has been built already. */
export async function openWorkshop(like?: Workshop): Promise<Workshop> {
  const root = await mkdtemp(join(tmpdir(), 'hive-drill-'))
  const close = () => rm(root, { recursive: true, force: true })
  try {
    if (like === undefined) {
      for (const path of COPIED) await cp(join(ROOT, path), join(root, path), { recursive: true })
      await cp(join(ROOT, 'hardhat.config.ts'), join(root, 'repository.config.ts'))
      await writeFile(join(root, 'hardhat.config.ts'), QUICK_CONFIG)
      await symlink(await realpath(join(ROOT, 'node_modules')), join(root, 'node_modules'))
    } else {
      await cp(like.root, root, { recursive: true, verbatimSymlinks: true })
    }
  } catch (error) {
    await close()
    throw error
  }
  return { root, [Symbol.asyncDispose]: close }
}
