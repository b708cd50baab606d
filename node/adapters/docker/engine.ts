import { once } from 'node:events'
import { createConnection } from 'node:net'
import type Docker from 'dockerode'
import { HiveError } from '../../domain/errors.ts'

/** The connection to one engine. */
export type Engine = Docker

/** What the engine said when it refused a request. */
export interface Refusal {
  /** HTTP status. */
  readonly status: number
  readonly message: string
}

/** Longest message kept, characters; enough for what runc says about a missing program. */
const MAX_MESSAGE_CHARS = 500

/**
 * A connection to the engine at `socketPath`. Throws SANDBOX_UNAVAILABLE when nothing listens there,
 * before the client is loaded: it is 15 MiB of memory that a node without Docker does not need.
 */
export async function connectEngine(socketPath: string): Promise<Engine> {
  const socket = createConnection({ path: socketPath })
  try {
    await once(socket, 'connect')
  } catch (error) {
    throw engineGone(error)
  } finally {
    socket.destroy()
  }
  const { default: Client } = await import('dockerode')
  return new Client({ socketPath })
}

/** The engine's answer inside `error`, or `undefined` when there was no answer: it is gone. */
export function refusalOf(error: unknown): Refusal | undefined {
  if (typeof error !== 'object' || error === null || !('statusCode' in error)) return undefined
  const { statusCode: status } = error
  if (typeof status !== 'number') return undefined
  const body = 'json' in error ? error.json : undefined
  const said =
    typeof body === 'object' && body !== null && 'message' in body ? body.message : undefined
  // asked for a stream, the client has the engine's words in its own only
  const inside =
    error instanceof Error ? /^\(HTTP code \d+\) .*? - (.+)$/s.exec(error.message)?.[1] : undefined
  const message = typeof said === 'string' ? said : (inside?.trim() ?? `status ${status}`)
  return { status, message: message.slice(0, MAX_MESSAGE_CHARS) }
}

/** What the engine said, without where on this machine it keeps its files: the requester will read it. */
export function forStrangers(refusal: Refusal): string {
  return refusal.message
    .replaceAll(
      /[^\s":]*\/(?:overlay2|vfs|volumes|containers|containerd|runtimes)\/[^\s":]*/g,
      '(a folder of the engine)',
    )
    .replace(/^.*(?:unable to start container process|processes for container): /, '')
}

/** `error` as this project's own: the engine cannot do its work any more. */
export function engineGone(error: unknown): HiveError {
  if (error instanceof HiveError && error.code === 'SANDBOX_UNAVAILABLE') return error
  const said = refusalOf(error)?.message ?? (error instanceof Error ? error.message : String(error))
  return new HiveError('SANDBOX_UNAVAILABLE', { kind: 'docker', said }, { cause: error })
}

/** Waits for a removal or a kill whose object may be gone already, which is what was wanted. */
export async function unlessGone(request: Promise<unknown>): Promise<void> {
  try {
    await request
  } catch (error) {
    const { status, message } = refusalOf(error) ?? {}
    // 404: no such object; 409: not running, or its removal is under way already; 304: nothing to do
    if (status === 404 || status === 409 || status === 304) return
    // Podman's word for "not running"
    if (status === 500 && message?.endsWith('container state improper') === true) return
    throw engineGone(error)
  }
}
