import { codeOf, HiveError } from '../../domain/errors.ts'
import type { Cid, PeerId } from '../../domain/ids.ts'
import { filesOf, type InputFile, type JobSpec } from '../../domain/job-spec.ts'
import { parseRepository } from '../../domain/registry-image.ts'
import type { Blobs } from '../../ports/blobs.ts'
import type { LayeredProgram, Program, SandboxTask } from '../../ports/sandbox.ts'
import type { Registries } from '../../ports/registries.ts'
import { cidDigest, isBlockCid } from '../../protocol/cid.ts'
import {
  decodeImageManifest,
  imageBytesOf,
  type ImageLayer,
} from '../../protocol/image-manifest.ts'
import { MAX_FILE_BYTES, MAX_IMAGE_BYTES, MAX_IMAGE_MANIFEST_BYTES } from '../../protocol/limits.ts'

/** Fetches what a share needs, from its requester first. What its tasks have in common is fetched and held once. */
export class Contents {
  readonly #blobs: Blobs
  readonly #from: PeerId
  readonly #registries: Registries | undefined
  readonly #shared = new Map<Cid, Promise<Uint8Array>>()
  #image: Promise<Program> | undefined
  #layers: readonly ImageLayer[] = []

  constructor(blobs: Blobs, from: PeerId, registries?: Registries) {
    this.#blobs = blobs
    this.#from = from
    this.#registries = registries
  }

  /** The program; of a layered image only what says which layers it has. Throws CONTENT_NOT_FOUND or IMAGE_INVALID. */
  async image(spec: JobSpec, signal: AbortSignal): Promise<Program> {
    this.#image ??= this.#find(spec, signal)
    return this.#image
  }

  /** Brings the program here as a whole, without holding its layers in memory. Throws the same. */
  async bringImage(spec: JobSpec, signal: AbortSignal): Promise<void> {
    await this.image(spec, signal)
    for (const layer of this.#layers)
      if (!(await this.#blobs.has(layer.cid))) await this.#layer(layer, signal)
  }

  /** Lets {@link Contents.image} tell from now on that nothing can be done with the image. */
  refuseImage(error: unknown): void {
    this.#image = Promise.reject(error as Error)
    // nobody may ask again
    this.#image.catch(() => undefined)
  }

  /** Brings what all tasks are given. */
  async bringShared(spec: JobSpec, signal: AbortSignal): Promise<void> {
    const stdin = spec.inputs.some((own) => own.stdin === undefined) || spec.inputs.length === 0
    const shared = [...spec.files, ...(stdin && spec.stdin !== undefined ? [spec.stdin] : [])]
    await Promise.all(shared.map(async (file) => this.#once(file, MAX_FILE_BYTES, signal)))
  }

  /** The inputs of one task; its own are let go with it, or an array's would all be in memory at its end. */
  async of(
    spec: JobSpec,
    index: number,
    signal: AbortSignal,
  ): Promise<Pick<SandboxTask, 'files' | 'stdin'>> {
    const own = spec.inputs[index]
    const [shared, files, stdin] = await Promise.all([
      Promise.all(spec.files.map(async (file) => this.#once(file, MAX_FILE_BYTES, signal))),
      Promise.all((own?.files ?? []).map(async (file) => this.#get(file, MAX_FILE_BYTES, signal))),
      own?.stdin !== undefined
        ? this.#get(own.stdin, MAX_FILE_BYTES, signal)
        : spec.stdin !== undefined
          ? this.#once(spec.stdin, MAX_FILE_BYTES, signal)
          : new Uint8Array(),
    ])
    const bytes = [...shared, ...files]
    return {
      stdin,
      files: filesOf(spec, index).map(({ path }, at) => ({
        path,
        bytes: bytes[at] ?? new Uint8Array(),
      })),
    }
  }

  async #find(spec: JobSpec, signal: AbortSignal): Promise<Program> {
    const { kind, image, repository } = spec
    if (repository !== undefined) return this.#pulled(repository, image, signal)
    return kind === 'docker' && isBlockCid(image.cid)
      ? this.#layered(image, signal)
      : this.#once(image, MAX_IMAGE_BYTES, signal)
  }

  async #pulled(
    repository: string,
    { cid }: InputFile,
    signal: AbortSignal,
  ): Promise<LayeredProgram> {
    const place = parseRepository(repository)
    if (place === undefined || this.#registries?.allows(place.registry) !== true)
      throw new HiveError('DECLINED_IMAGE', { repository })
    return await this.#registries.pull({ ...place, sha256: cidDigest(cid).slice(2) }, { signal })
  }

  async #layered(image: InputFile, signal: AbortSignal): Promise<LayeredProgram> {
    const options = { from: this.#from, maxBytes: MAX_IMAGE_MANIFEST_BYTES, signal }
    const block = await this.#blobs.getBlock(image.cid, options).catch(notFound(image))
    const manifest = readManifest(block)
    if (imageBytesOf(manifest) > image.size) throw refused('it is larger than its spec says')
    this.#layers = manifest.layers
    const layers = manifest.layers.map((layer) => async () => this.#layer(layer, signal))
    return { config: manifest.config, layers }
  }

  async #layer({ cid, size }: ImageLayer, signal: AbortSignal): Promise<Uint8Array> {
    const options = { from: this.#from, maxBytes: size, signal }
    const bytes = await this.#blobs.get(cid, options).catch((cause: unknown) => {
      if (codeOf(cause) === 'CONTENT_TOO_LARGE') throw refused('a layer is larger than said', cause)
      return notFound({ path: 'a layer', cid })(cause)
    })
    if (bytes.byteLength !== size) throw refused('a layer is smaller than said')
    return bytes
  }

  async #once(file: InputFile, maxBytes: number, signal: AbortSignal): Promise<Uint8Array> {
    const known = this.#shared.get(file.cid)
    if (known !== undefined) return known
    const fetched = this.#get(file, maxBytes, signal)
    this.#shared.set(file.cid, fetched)
    return fetched
  }

  async #get(file: InputFile, maxBytes: number, signal: AbortSignal): Promise<Uint8Array> {
    const options = { from: this.#from, maxBytes: Math.min(maxBytes, file.size), signal }
    return await this.#blobs.get(file.cid, options).catch(notFound(file))
  }
}

function readManifest(block: Uint8Array): ReturnType<typeof decodeImageManifest> {
  try {
    return decodeImageManifest(block)
  } catch (cause) {
    throw refused('its manifest cannot be read', cause)
  }
}

function notFound({ path, cid }: Pick<InputFile, 'path' | 'cid'>): (cause: unknown) => never {
  return (cause) => {
    throw new HiveError('CONTENT_NOT_FOUND', { path, cid, code: codeOf(cause) }, { cause })
  }
}

function refused(rule: string, cause?: unknown): HiveError {
  return new HiveError('IMAGE_INVALID', { rule }, { cause })
}
