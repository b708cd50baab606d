import { codeOf, HiveError } from '../../domain/errors.ts'
import type { Cid, PeerId } from '../../domain/ids.ts'
import { filesOf, type InputFile, type JobSpec } from '../../domain/job-spec.ts'
import type { Blobs } from '../../ports/blobs.ts'
import type { SandboxTask } from '../../ports/sandbox.ts'
import { MAX_FILE_BYTES, MAX_IMAGE_BYTES } from '../../protocol/limits.ts'

/** Fetches what a share needs, from its requester first. What its tasks have in common is fetched and held once. */
export class Contents {
  readonly #blobs: Blobs
  readonly #from: PeerId
  readonly #signal: AbortSignal
  readonly #shared = new Map<Cid, Promise<Uint8Array>>()

  constructor(blobs: Blobs, from: PeerId, signal: AbortSignal) {
    this.#blobs = blobs
    this.#from = from
    this.#signal = signal
  }

  /** The program. */
  async image(spec: JobSpec): Promise<Uint8Array> {
    return this.#once(spec.image, MAX_IMAGE_BYTES)
  }

  /** The inputs of one task; its own are let go with it, or an array's would all be in memory at its end. */
  async of(spec: JobSpec, index: number): Promise<Pick<SandboxTask, 'files' | 'stdin'>> {
    const own = spec.inputs[index]
    const [shared, files, stdin] = await Promise.all([
      Promise.all(spec.files.map(async (file) => this.#once(file, MAX_FILE_BYTES))),
      Promise.all((own?.files ?? []).map(async (file) => this.#get(file, MAX_FILE_BYTES))),
      own?.stdin !== undefined
        ? this.#get(own.stdin, MAX_FILE_BYTES)
        : spec.stdin !== undefined
          ? this.#once(spec.stdin, MAX_FILE_BYTES)
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

  async #once(file: InputFile, maxBytes: number): Promise<Uint8Array> {
    const known = this.#shared.get(file.cid)
    if (known !== undefined) return known
    const fetched = this.#get(file, maxBytes)
    this.#shared.set(file.cid, fetched)
    return fetched
  }

  async #get(file: InputFile, maxBytes: number): Promise<Uint8Array> {
    const options = {
      from: this.#from,
      maxBytes: Math.min(maxBytes, file.size),
      signal: this.#signal,
    }
    try {
      return await this.#blobs.get(file.cid, options)
    } catch (cause) {
      const { path, cid } = file
      throw new HiveError('CONTENT_NOT_FOUND', { path, cid, code: codeOf(cause) }, { cause })
    }
  }
}
