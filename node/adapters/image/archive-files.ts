import { posix } from 'node:path'
import { HiveError } from '../../domain/errors.ts'
import { KiB } from '../../domain/units.ts'
import { readTar } from './tar-reader.ts'

/** Largest manifest or configuration, bytes; those of real images stay below 20 KiB. */
const MAX_JSON_BYTES: number = 256 * KiB
/** Most links from one to the next; tools write one where a layer is in an archive twice. */
const MAX_LINKS = 4

/** The files of an archive around an image, or of a folder laid out like one. Read once, so their order means nothing. */
export class ArchiveFiles {
  readonly #files = new Map<string, Uint8Array>()
  readonly #links = new Map<string, string>()

  /** @throws HiveError IMAGE_INVALID for an archive that two readers might understand differently */
  constructor(archive: Uint8Array) {
    for (const { kind, path, bytes, link } of readTar(archive)) {
      if (kind === 'directory') continue
      if (this.#files.has(path) || this.#links.has(path))
        throw refused('two files of the archive have one name')
      if (kind === 'file') this.#files.set(path, bytes)
      if (kind === 'hardlink') this.#links.set(path, link)
      if (kind === 'symlink') this.#links.set(path, posix.join(posix.dirname(path), link))
    }
  }

  has(path: string): boolean {
    return this.#files.has(path) || this.#links.has(path)
  }

  /** @throws HiveError IMAGE_INVALID when it is not there */
  read(path: string): Uint8Array {
    let at = path
    for (let left = MAX_LINKS; left > 0 && !this.#files.has(at); left--)
      at = this.#links.get(at) ?? at
    const bytes = this.#files.get(at)
    if (bytes === undefined) throw refused('the archive lacks a file that it names')
    return bytes
  }
}

/** What a small JSON file says. @throws HiveError IMAGE_INVALID */
export function readJson(bytes: Uint8Array): unknown {
  if (bytes.length > MAX_JSON_BYTES) throw refused('a JSON file is too large')
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'))
  } catch (cause) {
    throw refused('a JSON file cannot be read', cause)
  }
}

function refused(rule: string, cause?: unknown): HiveError {
  return new HiveError('IMAGE_INVALID', { rule }, { cause })
}
