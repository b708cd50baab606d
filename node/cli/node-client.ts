import { readApiFile, type ApiAccess } from '../api/api-file.ts'
import { API_HEADER } from '../api/guards.ts'
import type { FrameSocket } from '../api/frame-socket.ts'
import { HiveError } from '../domain/errors.ts'
import { errorFrom } from '../api/error-from.ts'
import { readEvents } from './event-source.ts'
import { openUpgraded } from './upgraded.ts'

/** What every call may carry. */
export interface CallOptions {
  readonly signal?: AbortSignal
}

/** Talks to the node of one data folder over its local API. Errors arrive as they were thrown there. */
export class NodeClient {
  readonly #access: ApiAccess
  readonly #dataDir: string
  readonly #fetch: typeof globalThis.fetch

  private constructor(access: ApiAccess, dataDir: string, fetch: typeof globalThis.fetch) {
    this.#access = access
    this.#dataDir = dataDir
    this.#fetch = fetch
  }

  /** Throws `NODE_NOT_RUNNING` when the folder holds no access to a node. */
  static async open(dataDir: string, fetch: typeof globalThis.fetch): Promise<NodeClient> {
    const access = await readApiFile(dataDir)
    if (access === undefined) throw new HiveError('NODE_NOT_RUNNING', { dataDir })
    return new NodeClient(access, dataDir, fetch)
  }

  async get<T>(path: string, options: CallOptions = {}): Promise<T> {
    return (await (await this.#call('GET', path, options)).json()) as T
  }

  async post<T>(path: string, body: unknown, options: CallOptions = {}): Promise<T> {
    const json = body === undefined ? undefined : JSON.stringify(body)
    const answer = await this.#call('POST', path, options, json, 'application/json')
    return (await answer.json()) as T
  }

  async delete(path: string, options: CallOptions = {}): Promise<void> {
    await this.#call('DELETE', path, options)
  }

  /** Stores bytes on the node. */
  async upload(
    bytes: Uint8Array,
    options: CallOptions = {},
  ): Promise<{ readonly cid: string; readonly size: number }> {
    const body = bytes as Uint8Array<ArrayBuffer>
    const answer = await this.#call('POST', '/v1/blobs', options, body, 'application/octet-stream')
    return (await answer.json()) as { cid: string; size: number }
  }

  async download(cid: string, options: CallOptions = {}): Promise<Uint8Array> {
    const answer = await this.#call('GET', `/v1/blobs/${cid}`, options)
    return new Uint8Array(await answer.arrayBuffer())
  }

  /** Events of a job or of its logs, until the node ends them. */
  async *events<T>(path: string, options: CallOptions = {}): AsyncGenerator<T> {
    const { body } = await this.#call('GET', path, options)
    if (body !== null) yield* readEvents<T>(body)
  }

  /**
   * Asks for a conversation, whose first frame is `request`. Throws as the other calls do; what becomes of the request is
   * learnt by reading.
   */
  async upgraded(
    path: string,
    request: unknown,
    { signal }: CallOptions = {},
  ): Promise<FrameSocket> {
    const socket = await openUpgraded(this.#access, path, signal)
    await socket.write(Buffer.from(JSON.stringify(request)))
    return socket
  }

  async #call(
    method: string,
    path: string,
    options: CallOptions,
    body?: string | Uint8Array<ArrayBuffer>,
    type?: string,
  ): Promise<Response> {
    const headers = {
      authorization: `Bearer ${this.#access.token}`,
      ...(body !== undefined && type !== undefined && { 'content-type': type }),
    }
    const url = `http://127.0.0.1:${this.#access.port}${path}`
    const request = { method, headers, ...(body !== undefined && { body }), ...options }
    let answer: Response
    try {
      answer = await this.#fetch(url, request)
    } catch (cause) {
      options.signal?.throwIfAborted()
      throw this.#notRunning(cause)
    }
    // Another program may have taken the port of a node that is gone.
    if (!answer.headers.has(API_HEADER)) throw this.#notRunning()
    if (!answer.ok) throw errorFrom(await answer.json().catch(() => undefined)) // not JSON: no code
    return answer
  }

  #notRunning(cause?: unknown): HiveError {
    const { port, pid } = this.#access
    return new HiveError('NODE_NOT_RUNNING', { dataDir: this.#dataDir, port, pid }, { cause })
  }
}
