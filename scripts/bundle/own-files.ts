import { readFile } from 'node:fs/promises'
import { dirname, relative, sep } from 'node:path'
import type { Plugin } from 'esbuild'

/**
 * Leaves to files of this repository, once they are in the bundle, what they know of their place: workers and data
 * beside them stay where they are.
 */
export function ownFiles(root: string, bundleDir: string): Plugin {
  const filter = new RegExp(String.raw`^${escaped(root + sep)}(node|scripts)${escaped(sep)}.*\.ts$`)
  return {
    name: 'own files',
    setup(build) {
      build.onLoad({ filter }, async ({ path }) => {
        const source = await readFile(path, 'utf8')
        const url = `new URL(${JSON.stringify(linked(bundleDir, path))}, import.meta.url)`
        const place = (at: string) => `process.getBuiltinModule('url').fileURLToPath(${at})`
        const contents = source.replaceAll(
          /\bimport\.meta\.(url|dirname|filename)\b/g,
          (_, what) => {
            if (what === 'url') return `${url}.href`
            return what === 'filename'
              ? place(url)
              : `process.getBuiltinModule('path').dirname(${place(url)})`
          },
        )
        return { contents, loader: 'ts', resolveDir: dirname(path) }
      })
    },
  }
}

/** Leaves what only developers' scripts use where it is. */
export function devnetOutside(root: string, bundleDir: string): Plugin {
  return {
    name: 'devnet outside',
    setup(build) {
      build.onResolve({ filter: /^\.\.\/scripts\/devnet\// }, ({ path }) => ({
        path: linked(bundleDir, new URL(path, `file://${root}/node/`).pathname),
        external: true,
      }))
    },
  }
}

function linked(from: string, to: string): string {
  return relative(from, to).split(sep).join('/')
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\/]/g, String.raw`\$&`)
}
