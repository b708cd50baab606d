import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { HiveError } from '../../domain/errors.ts'
import { decodeImageConfig, type ImageConfig } from '../image/image-config.ts'
import type { ImageShelf } from '../image/image-store.ts'
import { imageTree } from '../image/image-tree.ts'
import type { LayeredImage } from '../image/layered-image.ts'
import { unpackTree } from './image-unpacking.ts'

/** An unpacked image while a task uses it. */
export interface HeldImage extends AsyncDisposable {
  /** Folder with the image's files; never written to after unpacking. */
  readonly path: string
  readonly config: ImageConfig
}

interface Kept {
  readonly config: ImageConfig
  users: number
  isGivenUp: boolean
}

/** What the file system says when a name of the image is none to it, or a file has too many. */
const UNUSABLE_NAMES: ReadonlySet<unknown> = new Set(['ENAMETOOLONG', 'EMLINK', 'EINVAL', 'EILSEQ'])

/** Images as folders, each under the digest of its configuration. */
export class UnpackedImages implements ImageShelf {
  readonly #folder: string
  readonly #kept = new Map<string, Kept>()

  constructor(parts: { readonly folder: string }) {
    this.#folder = parts.folder
  }

  /** @throws HiveError IMAGE_INVALID, or TASK_START_FAILED when the disk does not take it */
  async put(image: LayeredImage): Promise<void> {
    const known = this.#kept.get(image.id)
    if (known !== undefined) {
      known.isGivenUp = false
      return
    }
    const path = this.#pathOf(image.id)
    try {
      await unpackTree(await imageTree(image), path)
    } catch (error) {
      await rm(path, { recursive: true, force: true })
      if (error instanceof HiveError) throw error
      const code = error instanceof Error && 'code' in error ? error.code : undefined
      if (UNUSABLE_NAMES.has(code)) {
        const rule = 'a file system has no place for one of its names'
        throw new HiveError('IMAGE_INVALID', { rule }, { cause: error })
      }
      const said = 'the image could not be unpacked'
      throw new HiveError('TASK_START_FAILED', { said }, { cause: error })
    }
    const config = decodeImageConfig(JSON.parse(Buffer.from(image.config).toString()))
    this.#kept.set(image.id, { config, users: 0, isGivenUp: false })
  }

  /** Removes the image, once the last task that uses it has ended. */
  async drop(id: string): Promise<void> {
    const kept = this.#kept.get(id)
    if (kept === undefined) return
    kept.isGivenUp = true
    await this.#tidy(id, kept)
  }

  /**
   * Keeps the image in its place until disposed.
   * @throws HiveError TASK_START_FAILED when it is not there
   */
  hold(id: string): HeldImage {
    const kept = this.#kept.get(id)
    if (kept === undefined) throw new HiveError('TASK_START_FAILED', { image: id })
    kept.users++
    return {
      path: this.#pathOf(id),
      config: kept.config,
      [Symbol.asyncDispose]: async () => {
        kept.users--
        await this.#tidy(id, kept)
      },
    }
  }

  async #tidy(id: string, kept: Kept): Promise<void> {
    if (kept.users > 0 || !kept.isGivenUp) return
    this.#kept.delete(id)
    await rm(this.#pathOf(id), { recursive: true, force: true })
  }

  #pathOf(id: string): string {
    return join(this.#folder, id.replace(/^sha256:/, ''))
  }
}
