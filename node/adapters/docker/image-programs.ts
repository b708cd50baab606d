import type { ImageConfig } from '../image/image-config.ts'
import { words } from '../image/image-config.ts'
import type { Engine } from './engine.ts'

/** What an image says about the program that it runs. */
export type ImageProgram = Pick<ImageConfig, 'env' | 'entrypoint' | 'cmd'>

/** Images whose program is remembered; each takes some hundred bytes. */
const MOST_REMEMBERED = 256

/** Asks an engine about its images, once for each: what an id stands for never changes. */
export class ImagePrograms {
  readonly #engine: Engine
  readonly #known = new Map<string, ImageProgram>()

  constructor(parts: { readonly engine: Engine }) {
    this.#engine = parts.engine
  }

  /** The program of an image. Fails with the engine's own error, as when it does not hold the image. */
  async of(imageId: string): Promise<ImageProgram> {
    const known = this.#known.get(imageId)
    if (known !== undefined) return known
    const { Config: config } = await this.#engine.getImage(imageId).inspect()
    const program = {
      env: words(config.Env),
      entrypoint: words(config.Entrypoint),
      cmd: words(config.Cmd),
    }
    const [oldest] = this.#known.keys()
    if (oldest !== undefined && this.#known.size >= MOST_REMEMBERED) this.#known.delete(oldest)
    this.#known.set(imageId, program)
    return program
  }
}
