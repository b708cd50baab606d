import { globSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

interface BuildOutput {
  readonly output: { readonly sources: Readonly<Record<string, { readonly ast: unknown }>> }
}

/** Syntax tree of each source of contracts/ in a repository that Hardhat has built, by its path. */
export async function syntaxTrees(root: string): Promise<ReadonlyMap<string, unknown>> {
  const trees = new Map<string, unknown>()
  for (const file of globSync('artifacts/build-info/*.output.json', { cwd: root })) {
    const { output } = JSON.parse(await readFile(join(root, file), 'utf8')) as BuildOutput
    for (const [name, { ast }] of Object.entries(output.sources)) {
      const path = name.replace(/^project\//, '')
      if (path.startsWith('contracts/')) trees.set(path, ast)
    }
  }
  return trees
}
