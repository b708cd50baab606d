import { execFile } from 'node:child_process'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import { HiveError } from '../../domain/errors.ts'
import { hour, MiB } from '../../domain/units.ts'
import { MAX_IMAGE_BYTES } from '../../protocol/limits.ts'
import { connectEngine, refusalOf } from './engine.ts'

/** Which engine, and how long it is waited for. */
export interface EngineUse {
  readonly socketPath: string
  readonly signal: AbortSignal
}

/** Largest archive taken from an engine, bytes: an image and what is around its layers. */
const MAX_ARCHIVE_BYTES: number = MAX_IMAGE_BYTES + 16 * MiB
/** Longest that a build may take, ms. */
const BUILD_TIMEOUT_MS: number = 1 * hour
/** End of what a build said that is told when it fails, characters. */
const SAID_CHARS = 1000

/** The archive of an image of the engine, by its name or id. Throws IMAGE_UNREADABLE or IMAGE_INVALID. */
export async function exportImage(name: string, use: EngineUse): Promise<Uint8Array> {
  const pieces: Buffer[] = []
  let bytes = 0
  try {
    const engine = await connectEngine(use.socketPath)
    for await (const piece of await engine.getImage(name).get()) {
      use.signal.throwIfAborted()
      pieces.push(piece as Buffer)
      bytes += piece.length
      if (bytes > MAX_ARCHIVE_BYTES)
        throw new HiveError('IMAGE_INVALID', { rule: 'the image is too large' })
    }
  } catch (cause) {
    if (cause instanceof HiveError && cause.code === 'IMAGE_INVALID') throw cause
    throw unreadable(`docker:${name}`, refusalOf(cause)?.message ?? saidBy(cause), cause)
  }
  return Buffer.concat(pieces)
}

/**
 * Builds an image from a Dockerfile, with its folder as the context, and gives its id in the engine. The builder that
 * the engine brings itself is used, so that nothing else need be installed.
 * @throws HiveError IMAGE_UNREADABLE
 */
export async function buildImage(dockerfile: string, use: EngineUse): Promise<string> {
  const settings = ['DOCKER_BUILDKIT=0', `DOCKER_HOST=unix://${use.socketPath}`]
  const build = ['docker', 'build', '--quiet', '--file', dockerfile, dirname(dockerfile)]
  try {
    const options = { signal: use.signal, timeout: BUILD_TIMEOUT_MS }
    const { stdout } = await promisify(execFile)('env', [...settings, ...build], options)
    const id = /sha256:[0-9a-f]{64}/.exec(stdout)?.[0]
    if (id !== undefined) return id
    throw unreadable(dockerfile, 'the build named no image')
  } catch (cause) {
    if (cause instanceof HiveError) throw cause
    throw unreadable(dockerfile, saidBy(cause), cause)
  }
}

function saidBy(cause: unknown): string {
  const { stderr } = cause as { readonly stderr?: unknown }
  if (typeof stderr === 'string' && stderr.trim() !== '') return stderr.trim().slice(-SAID_CHARS)
  if (cause instanceof HiveError) return String(cause.data['said'] ?? cause.code)
  return cause instanceof Error ? cause.message : String(cause)
}

function unreadable(source: string, said: string, cause?: unknown): HiveError {
  return new HiveError('IMAGE_UNREADABLE', { source, said }, { cause })
}
