import { codeOf, HiveError } from '../../domain/errors.ts'
import type { Program, SandboxImage } from '../../ports/sandbox.ts'
import { admitImage } from './image-admission.ts'
import { admitLayers, type LayeredImage } from './layered-image.ts'
import { Turns } from './turns.ts'

/** Images that are taken in at the same time: each has a layer, or all of itself, in memory. */
const LOADS_AT_ONCE = 2

/** Where admitted images are kept ready to run. */
export interface ImageShelf {
  /** Takes the image in; calling it again for one that is there changes nothing. */
  put(image: LayeredImage): Promise<void>
  /** Gives the image with this id up. */
  drop(id: string): Promise<void>
}

/** Which images this node keeps ready, by content id. */
export class ImageStore {
  readonly #shelf: ImageShelf
  readonly #capacity: number
  /** Least recently used first. */
  readonly #ids = new Map<string, string>()
  readonly #loading = new Map<string, Promise<string>>()
  readonly #turns = new Turns(LOADS_AT_ONCE)

  constructor(parts: { readonly shelf: ImageShelf }, options: { readonly capacity: number }) {
    this.#shelf = parts.shelf
    this.#capacity = options.capacity
  }

  /** Whether the image was loaded and not given up since. */
  holds(contentId: string): boolean {
    return this.#ids.has(contentId)
  }

  /** Forgets what the shelf turned out not to hold any more. */
  forget(contentId: string): void {
    this.#ids.delete(contentId)
  }

  /**
   * The id of the image, loading it first if need be; tasks that ask together share one load.
   * @throws HiveError IMAGE_INVALID · TASK_START_FAILED when its bytes cannot be had
   */
  async ensure(image: SandboxImage): Promise<string> {
    for (;;) {
      const known = this.#ids.get(image.id)
      if (known !== undefined) {
        this.#ids.delete(image.id)
        this.#ids.set(image.id, known)
        return known
      }
      const under = this.#loading.get(image.id)
      if (under === undefined) break
      // its load may have been cancelled, or have been waiting for a peer that is gone: then it is this one's turn
      await under.catch(throwIfBad)
    }
    const loading = this.#load(image).finally(() => this.#loading.delete(image.id))
    this.#loading.set(image.id, loading)
    return await loading
  }

  async #load(image: SandboxImage): Promise<string> {
    // before its turn, which nobody may hold who waits for a peer
    const program = await programOf(image)
    using _ = await this.#turns.take()
    const admitted =
      program instanceof Uint8Array ? await admitImage(program) : admitLayers(program)
    await this.#shelf.put(admitted)
    this.#ids.set(image.id, admitted.id)
    await this.#shrink()
    return admitted.id
  }

  /** Removes the images that were not used for longest; the shelf itself keeps those in use. */
  async #shrink(): Promise<void> {
    for (const [contentId, id] of this.#ids) {
      if (this.#ids.size <= this.#capacity) return
      this.#ids.delete(contentId)
      const isShared = [...this.#ids.values()].includes(id)
      if (!isShared) await this.#shelf.drop(id)
    }
  }
}

/** The program, whose failure to come is told apart from what is wrong with it. */
async function programOf(image: SandboxImage): Promise<Program> {
  const unavailable = (cause: unknown) => {
    throwIfBad(cause)
    throw new HiveError('TASK_START_FAILED', { image: image.id }, { cause })
  }
  const program = await image.load().catch(unavailable)
  if (program instanceof Uint8Array) return program
  const layers = program.layers.map((load) => async () => load().catch(unavailable))
  return { ...program, layers }
}

function throwIfBad(error: unknown): void {
  if (codeOf(error) === 'IMAGE_INVALID') throw error
}
