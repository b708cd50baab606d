import type { TreeFile, TreeFolder } from './layer-tree.ts'
import { packTar, type TarMember } from './tar-writer.ts'

/** Lets everybody run what its owner may. */
const ANY_EXECUTE = 0o111
const STICKY = 0o1000

/**
 * A tree as a layer. Equal trees give equal bytes on every machine: names in order, no times, no owners, and of a
 * file's rights only whether it can be run, of a folder's whether its files are their owners' alone.
 */
export function packTree(root: TreeFolder): Uint8Array {
  return packTar(membersOf(root, '', new Map()))
}

function* membersOf(
  folder: TreeFolder,
  above: string,
  written: Map<TreeFile, string>,
): Generator<TarMember> {
  const names = [...folder.nodes].sort(([a], [b]) => (a < b ? -1 : 1))
  for (const [name, node] of names) {
    const path = `${above}${name}`
    if (node.kind === 'symlink') yield { path, link: node.link, mode: 0o777 }
    else if (node.kind === 'directory') {
      yield { path, mode: 0o755 | ((node.mode ?? 0) & STICKY) }
      yield* membersOf(node, `${path}/`, written)
    } else {
      const mode = (node.mode & ANY_EXECUTE) === 0 ? 0o644 : 0o755
      const hardLink = written.get(node)
      yield hardLink === undefined ? { path, bytes: node.bytes, mode } : { path, hardLink, mode }
      if (hardLink === undefined) written.set(node, path)
    }
  }
}
