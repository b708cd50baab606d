import { execFile } from 'node:child_process'
import { mkdir, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { basename, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { day } from '../../node/domain/units.ts'
import { devnetOutside, ownFiles } from './own-files.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '')
/** Where the bundle lies: beside the sources, so that it finds the same packages. */
const DIR = join(ROOT, '.cache', 'node')
/** Newer than any source while the bundle is fresh; scripts/bundle/fresh.sh compares. */
const STAMP = join(DIR, 'stamp')

const ENTRIES = { main: 'node/main.ts', 'node-process': 'scripts/devnet/node-process.ts' } as const

/** Packages with native code, or that look for files beside themselves. */
const OUTSIDE = ['classic-level', 'secp256k1', 'dockerode', 'node-datachannel', '@achingbrain/ssdp']

/** CommonJS packages ask for others in the old way. */
const BANNER = `import { createRequire as createRequireHere } from 'node:module'
const require = createRequireHere(import.meta.url)`

/** The path of an entry of the bundle from the root; makes the bundle unless it is fresh. Safe beside others that do so. */
export async function bundled(entry: keyof typeof ENTRIES): Promise<string> {
  const comparison = promisify(execFile)('sh', [join(ROOT, 'scripts/bundle/fresh.sh')])
  const [fresh] = await Promise.allSettled([comparison])
  if (fresh.status === 'rejected') await makeBundle()
  return relative(ROOT, join(DIR, `${entry}.js`))
}

/**
 * Puts the node's code, its packages' too, into a few files: a node of two thousand modules starts in half the time
 * and takes a third less memory when they are one.
 */
export async function makeBundle(): Promise<void> {
  const startedAt = new Date()
  const { build } = await import('esbuild')
  const { outputFiles } = await build({
    absWorkingDir: ROOT,
    entryPoints: ENTRIES,
    outdir: DIR,
    write: false,
    bundle: true,
    splitting: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    external: OUTSIDE,
    banner: { js: BANNER },
    // names of classes are part of some libraries' behaviour
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: 'none',
    logLevel: 'error',
    plugins: [ownFiles(ROOT, DIR), devnetOutside(ROOT, DIR)],
  })
  await mkdir(DIR, { recursive: true })
  const entries = new Set<string>(Object.keys(ENTRIES).map((name) => `${name}.js`))
  const isEntry = ({ path }: { readonly path: string }) => entries.has(basename(path))
  // Entries last and at once: who starts meanwhile finds either bundle whole. Chunks are named by their content.
  for (const file of outputFiles.toSorted((a, b) => Number(isEntry(a)) - Number(isEntry(b)))) {
    const temporary = `${file.path}.${process.pid}`
    await writeFile(temporary, file.contents)
    await rename(temporary, file.path)
  }
  await writeFile(STAMP, '')
  await utimes(STAMP, startedAt, startedAt)
  await removeOld(new Set(outputFiles.map(({ path }) => basename(path))))
}

/** Removes chunks that no bundle of the last day has: a node that runs may still ask for those of its own. */
async function removeOld(kept: ReadonlySet<string>): Promise<void> {
  const dayAgo = Date.now() - day
  for (const name of await readdir(DIR)) {
    if (kept.has(name) || !/-[A-Z0-9]{8}\.js$/.test(name)) continue
    const path = join(DIR, name)
    const { mtimeMs } = await stat(path)
    if (mtimeMs < dayAgo) await rm(path)
  }
}
