import { constants } from 'node:fs'
import { access, open, opendir, readlink, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** An attribute in sysfs is one page at most. Source: the kernel's sysfs rules. */
const PAGE_BYTES = 4096
const CHUNK_BYTES = 64 * 1024
/** Operations at a time: a server has a thousand devices, a process often 1024 descriptors. */
const LANES = 32

/** Reads what the kernel tells in files. Nothing throws: what cannot be read is absent. */
export class KernelFiles {
  readonly #root: string
  readonly #waiting: (() => void)[] = []
  #freeLanes = LANES

  /** `root` stands for `/`. */
  constructor(root: string) {
    this.#root = root
  }

  /** The first `maxBytes` of a file. */
  async text(path: string, maxBytes: number = PAGE_BYTES): Promise<string | undefined> {
    return this.#orAbsent(async () => {
      // Without O_NONBLOCK a pipe that lies where a file should be would be waited for.
      const flags = constants.O_RDONLY | constants.O_NONBLOCK
      await using file = await open(this.path(path), flags)
      const chunks: Buffer[] = []
      for (let left = maxBytes; left > 0;) {
        const chunk = Buffer.allocUnsafe(Math.min(left, CHUNK_BYTES))
        const { bytesRead } = await file.read(chunk, 0, chunk.byteLength, null)
        if (bytesRead === 0) break
        chunks.push(chunk.subarray(0, bytesRead))
        left -= bytesRead
      }
      return Buffer.concat(chunks).toString('utf8')
    })
  }

  /** A file that holds one whole number, not negative, and nothing else. */
  async number(path: string): Promise<number | undefined> {
    const digits = /^\s*(\d{1,16})\s*$/.exec((await this.text(path)) ?? '')?.[1]
    const value = Number(digits)
    return digits !== undefined && Number.isSafeInteger(value) ? value : undefined
  }

  /** Names in a folder, sorted; `max` of them where there are more, none where there is no folder. */
  async names(path: string, max: number): Promise<readonly string[]> {
    const found = await this.#orAbsent(async () => {
      const names: string[] = []
      for await (const { name } of await opendir(this.path(path))) {
        if (names.push(name) >= max) break
      }
      return names.sort()
    })
    return found ?? []
  }

  /** Where a symbolic link points, as written. */
  async link(path: string): Promise<string | undefined> {
    return this.#orAbsent(async () => readlink(this.path(path)))
  }

  async exists(path: string): Promise<boolean> {
    const found = await this.#orAbsent(async () => {
      await access(this.path(path), constants.F_OK)
      return true
    })
    return found ?? false
  }

  /** When a file was last read, Unix ms. */
  async accessedAt(path: string): Promise<number | undefined> {
    return this.#orAbsent(async () => (await stat(this.path(path))).atimeMs)
  }

  /** The real path of `path`. */
  path(path: string): string {
    return join(this.#root, path)
  }

  async #orAbsent<T>(read: () => Promise<T>): Promise<T | undefined> {
    if (this.#freeLanes > 0) this.#freeLanes -= 1
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
    try {
      return await read()
    } catch {
      // no such file, not permitted, or a driver that answers with an error: not told
      return undefined
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) this.#freeLanes += 1
      else next()
    }
  }
}
