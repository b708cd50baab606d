import { constants } from 'node:fs'
import { lstat, open, readdir, statfs } from 'node:fs/promises'
import { HiveError } from '../../domain/errors.ts'
import { MAX_FILE_BYTES, MAX_PATH_CHARS } from '../../protocol/limits.ts'
import type { OutputEntry } from '../confinement/output-files.ts'

/** Opens a file of an ended job: never what a link leads to, never waiting for a pipe's other end. */
const OPEN_FLAGS: number = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK

const UTF8 = new TextDecoder('utf-8', { fatal: true })

/**
 * Everything in an outputs folder. Its job must have ended: nothing may change meanwhile.
 * @throws HiveError CONTENT_TOO_LARGE for more than `maxBytes`, holes in files counted · IMAGE_INVALID for a name that
 * no path of ours can have
 */
export async function readOutputs(
  folder: string,
  maxBytes: number,
): Promise<readonly OutputEntry[]> {
  const entries: OutputEntry[] = []
  const links = new Map<number, string>()
  let room = maxBytes
  const visit = async (below: string): Promise<void> => {
    const names = await readdir(`${folder}/${below}`, { encoding: 'buffer' })
    for (const name of names.toSorted((a, b) => a.compare(b))) {
      const path = `${below}${nameOf(name)}`
      if (path.length > MAX_PATH_CHARS)
        throw new HiveError('IMAGE_INVALID', { rule: 'a long path' })
      const at = `${folder}/${path}`
      const found = await lstat(at)
      if (found.isDirectory()) {
        await visit(`${path}/`)
        continue
      }
      if (!found.isFile()) continue
      const link = links.get(found.ino)
      if (link !== undefined) {
        entries.push({ kind: 'hardlink', path, link, bytes: new Uint8Array() })
        continue
      }
      room -= found.size
      if (room < 0 || found.size > MAX_FILE_BYTES)
        throw new HiveError('CONTENT_TOO_LARGE', { path })
      links.set(found.ino, path)
      await using file = await open(at, OPEN_FLAGS)
      entries.push({ kind: 'file', path, link: '', bytes: await file.readFile() })
    }
  }
  await visit('')
  return entries
}

/** Whether a folder in memory has no room left, or no place for another file; not of one that is not there. */
export async function isFull(folder: string): Promise<boolean> {
  try {
    const { bavail, ffree } = await statfs(folder)
    return bavail === 0 || ffree === 0
  } catch {
    // the job was given a folder in its place, or none was made
    return false
  }
}

function nameOf(name: Buffer): string {
  try {
    return UTF8.decode(name)
  } catch (cause) {
    throw new HiveError('IMAGE_INVALID', { rule: 'a name is not UTF-8' }, { cause })
  }
}
