import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { buildProgramImage, type ProgramName } from './programs.ts'

/** Where tools of a checkout keep what they can make again. */
const FOLDER = join(import.meta.dirname, '../../node_modules/.cache/computehive-images')

/**
 * The path of a program's image, built the first time that it is asked for and anew whenever a recipe has changed.
 * @throws ImageUnavailable when it must be built and cannot be
 */
export async function keptImage(name: ProgramName): Promise<string> {
  const path = join(FOLDER, `${name}-${process.arch}-${await recipesHash()}.tar`)
  const isKept = await readFile(path).then(
    () => true,
    () => false,
  )
  if (isKept) return path
  const bytes = await buildProgramImage(name)
  await mkdir(FOLDER, { recursive: true })
  // whole or not at all, because two test files may build at once
  await writeFile(`${path}.${process.pid}`, bytes)
  await rename(`${path}.${process.pid}`, path)
  return path
}

/** Changes with any file of this folder: the lists of packages, and what is done with them. */
async function recipesHash(): Promise<string> {
  const hash = createHash('sha256')
  for (const name of (await readdir(import.meta.dirname)).toSorted()) {
    hash.update(await readFile(join(import.meta.dirname, name)))
  }
  return hash.digest('hex').slice(0, 16)
}
