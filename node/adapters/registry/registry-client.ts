import { codeOf, HiveError } from '../../domain/errors.ts'
import type { RegistryImage } from '../../domain/registry-image.ts'
import { KiB, minute } from '../../domain/units.ts'
import type { LayeredProgram } from '../../ports/sandbox.ts'
import type { Registries } from '../../ports/registries.ts'
import { MAX_IMAGE_BYTES } from '../../protocol/limits.ts'
import { checkedBlob, readOciImage } from '../image/oci-image.ts'
import { anonymousToken } from './anonymous-token.ts'
import { boundedBody } from './bounded-body.ts'

/** Formats of manifests that are read. Sources: OCI image format 1.1, Docker image manifest 2.2. */
const MANIFESTS = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ')
const MAX_MANIFEST_BYTES: number = 256 * KiB
/** Longest that one blob may take, ms. */
const BLOB_TIMEOUT_MS: number = 5 * minute

/** Which registries are asked, and for which kind of machine an image is chosen. */
export interface RegistryOptions {
  readonly names: readonly string[]
  /** As the format spells it: `amd64`, `arm64`. */
  readonly architecture: string
}

/**
 * Registries over their HTTP interface (distribution v2), reading only, as anybody may without an account. Plain HTTP is
 * spoken to this machine alone.
 */
export function createRegistries(
  { fetch }: { readonly fetch: typeof globalThis.fetch },
  { names, architecture }: RegistryOptions,
): Registries {
  return {
    names,
    allows: (registry) => names.includes(registry),
    async pull(image, { signal }) {
      const repository = new Repository(fetch, image)
      const digest = `sha256:${image.sha256}`
      const manifest = await checkedBlob(
        async () => repository.get(`manifests/${digest}`, MAX_MANIFEST_BYTES, signal),
        digest,
        MAX_MANIFEST_BYTES,
      )
      // the manifests of a list are found by their own path, whatever else is a blob
      const blobs = async (wanted: string, maxBytes: number, kind: 'manifests' | 'blobs') =>
        repository.get(`${kind}/${wanted}`, maxBytes, signal)
      const options = { architecture, maxBytes: MAX_IMAGE_BYTES }
      return (await readOciImage(manifest, blobs, options)) satisfies LayeredProgram
    },
  }
}

/** One repository of a registry, and the token that it asked for. */
class Repository {
  readonly #fetch: typeof globalThis.fetch
  readonly #image: RegistryImage
  #token: string | undefined

  constructor(fetch: typeof globalThis.fetch, image: RegistryImage) {
    this.#fetch = fetch
    this.#image = image
  }

  /** Throws CONTENT_NOT_FOUND, CONTENT_TOO_LARGE as IMAGE_INVALID, or CANCELLED. */
  async get(path: string, maxBytes: number, signal: AbortSignal): Promise<Uint8Array> {
    const either = AbortSignal.any([signal, AbortSignal.timeout(BLOB_TIMEOUT_MS)])
    try {
      let answer = await this.#ask(path, either)
      const challenge = answer.headers.get('www-authenticate')
      if (answer.status === 401 && challenge !== null) {
        await answer.body?.cancel()
        this.#token = await anonymousToken(this.#fetch, challenge, this.#image, either)
        answer = await this.#ask(path, either)
      }
      if (!answer.ok) {
        await answer.body?.cancel()
        throw new HiveError('CONTENT_NOT_FOUND', { path, status: answer.status })
      }
      return await boundedBody(answer, maxBytes)
    } catch (cause) {
      if (signal.aborted) throw new HiveError('CANCELLED', {}, { cause: signal.reason })
      if (codeOf(cause) === 'IMAGE_INVALID') throw cause
      const { registry, name } = this.#image
      throw new HiveError('CONTENT_NOT_FOUND', { registry, name, path }, { cause })
    }
  }

  async #ask(path: string, signal: AbortSignal): Promise<Response> {
    const { registry, name } = this.#image
    const scheme = isLoopback(registry) ? 'http' : 'https'
    const headers = {
      accept: path.startsWith('manifests/') ? MANIFESTS : '*/*',
      ...(this.#token !== undefined && { authorization: `Bearer ${this.#token}` }),
    }
    return await this.#fetch(`${scheme}://${registry}/v2/${name}/${path}`, { headers, signal })
  }
}

function isLoopback(registry: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3})(:\d+)?$/.test(registry)
}
