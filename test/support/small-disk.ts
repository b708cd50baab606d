import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { rm, statfs, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** A file system of its own at a folder, of so many bytes. */
export interface SmallDisk extends AsyncDisposable {
  readonly dir: string
  /** Takes all the room that is left. */
  fill(): Promise<void>
  /** Gives it back. */
  empty(): Promise<void>
}

/** Why no such disk can be made here; `false` when one can. */
export const smallDiskMissing: string | false =
  process.platform === 'linux' && process.getuid?.() === 0
    ? false
    : 'only root can mount a small disk'

/** Makes one; the folder is made too where it is missing. */
export function openSmallDisk(dir: string, bytes: number): SmallDisk {
  mkdirSync(dir, { recursive: true })
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'small-disk', dir])
  const filler = join(dir, 'filler')
  return {
    dir,
    async fill() {
      const { bavail, bsize } = await statfs(dir)
      await writeFile(filler, Buffer.alloc(bavail * bsize))
    },
    async empty() {
      await rm(filler, { force: true })
    },
    async [Symbol.asyncDispose]() {
      execFileSync('umount', ['-l', dir])
    },
  }
}
