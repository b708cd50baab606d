import { readdir, rm, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { CID } from 'multiformats/cid'
import type { Cid } from '../../domain/ids.ts'
import type { SweepOptions, Swept } from '../../ports/blobs.ts'
import { parseCid } from './content-id.ts'
import { linksOf, mayHaveLinks } from './dag-links.ts'
import type { VerifiedBlockstore } from './verified-blockstore.ts'

interface BlockFile {
  readonly path: string
  readonly bytes: number
  /** Unix ms. */
  readonly usedAt: number
}

/** Removes the blocks that were used the longest ago, until what nobody keeps fits `cacheBytes`. */
export async function sweepBlocks(
  blocks: VerifiedBlockstore,
  { keep, cacheBytes, unusedSince, signal }: SweepOptions,
): Promise<Swept> {
  const files = await filesIn(blocks.dir, signal)
  // What is kept is read after the files, so that nothing listed can have come into use unseen.
  const kept = await filesUnder(blocks, keep, signal)
  const loose = files.filter(({ path }) => !kept.has(basename(path)))
  let left = sum(loose)
  const swept = { blocks: 0, bytes: 0 }
  for (const file of loose.sort((a, b) => a.usedAt - b.usedAt)) {
    if (left <= cacheBytes || file.usedAt >= unusedSince) break
    signal.throwIfAborted()
    const now = await fileAt(file.path)
    // used meanwhile, or gone
    if (now === undefined || now.usedAt >= unusedSince) continue
    await rm(file.path, { force: true })
    left -= file.bytes
    swept.blocks++
    swept.bytes += file.bytes
  }
  return { ...swept, leftBytes: sum(files) - swept.bytes }
}

async function filesIn(dir: string, signal: AbortSignal): Promise<BlockFile[]> {
  const files: BlockFile[] = []
  for (const name of await readdir(dir, { recursive: true })) {
    signal.throwIfAborted()
    const file = name.endsWith('.data') ? await fileAt(join(dir, name)) : undefined
    if (file !== undefined) files.push(file)
  }
  return files
}

async function fileAt(path: string): Promise<BlockFile | undefined> {
  try {
    const { size, mtimeMs } = await stat(path)
    return { path, bytes: size, usedAt: mtimeMs }
  } catch {
    // removed since it was listed
    return undefined
  }
}

/** The names of the files that hold what is under `roots`, as far as it is here. */
async function filesUnder(
  blocks: VerifiedBlockstore,
  roots: AsyncIterable<Cid>,
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const names = new Set<string>()
  for await (const root of roots) {
    const queue: CID[] = [parseCid(root)]
    for (let cid = queue.pop(); cid !== undefined; cid = queue.pop()) {
      signal.throwIfAborted()
      const name = blocks.fileOf(cid)
      if (names.has(name)) continue
      names.add(name)
      if (mayHaveLinks(cid)) queue.push(...(await linksIn(blocks, cid)))
    }
  }
  return names
}

async function linksIn(blocks: VerifiedBlockstore, cid: CID): Promise<readonly CID[]> {
  try {
    return linksOf(cid, await blocks.peek(cid))
  } catch {
    // not here, or no longer whole: nothing under it can be told
    return []
  }
}

function sum(files: readonly BlockFile[]): number {
  return files.reduce((total, { bytes }) => total + bytes, 0)
}
