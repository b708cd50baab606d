import { HiveError } from '../../domain/errors.ts'
import { MAX_IMAGE_LAYERS } from '../../protocol/limits.ts'

/** What an image says about how to run it; nothing else of its configuration reaches the engine. */
export interface ImageConfig {
  readonly architecture: string
  readonly env: readonly string[]
  readonly entrypoint: readonly string[]
  readonly cmd: readonly string[]
  readonly workingDir: string
  /** SHA-256 of each uncompressed layer, bottom first, as `sha256:<hex>`. */
  readonly diffIds: readonly string[]
}

/** Most words in a command or in an environment; far above any real image. */
const MAX_WORDS = 1000

/** The configuration as the bytes whose SHA-256 is the image's id: fixed order, nothing but what is needed. */
export function encodeImageConfig(config: ImageConfig): Buffer {
  return Buffer.from(
    JSON.stringify({
      architecture: config.architecture,
      config: {
        Cmd: config.cmd,
        Entrypoint: config.entrypoint,
        Env: config.env,
        WorkingDir: config.workingDir,
      },
      os: 'linux',
      rootfs: { diff_ids: config.diffIds, type: 'layers' },
    }),
  )
}

/**
 * Reads an image's configuration. Volumes, health checks, users, labels and ports are left behind: a stranger's
 * image may not ask for storage, timers or names on the provider's machine.
 * @throws HiveError IMAGE_INVALID
 */
export function decodeImageConfig(value: unknown): ImageConfig {
  const whole = asRecord(value)
  const inner = asRecord(whole['config'] ?? {})
  const rootfs = asRecord(whole['rootfs'])
  const diffIds = words(rootfs['diff_ids'])
  if (whole['os'] !== 'linux') throw refused('the image is not for Linux')
  if (diffIds.length === 0 || diffIds.length > MAX_IMAGE_LAYERS)
    throw refused('wrong number of layers')
  if (!diffIds.every((id) => /^sha256:[0-9a-f]{64}$/.test(id))) {
    throw refused('a layer has no SHA-256 digest')
  }
  return {
    architecture: text(whole['architecture']),
    env: words(inner['Env']),
    entrypoint: words(inner['Entrypoint']),
    cmd: words(inner['Cmd']),
    workingDir: text(inner['WorkingDir'] ?? ''),
    diffIds,
  }
}

/** A JSON object, or a refusal. */
export function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw refused('an object was expected')
  }
  return value as Readonly<Record<string, unknown>>
}

/** A list of strings, where nothing means an empty one. */
export function words(value: unknown): readonly string[] {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value) || value.length > MAX_WORDS) throw refused('a list was expected')
  return value.map(text)
}

function text(value: unknown): string {
  if (typeof value !== 'string' || value.includes('\0')) throw refused('a text was expected')
  return value
}

function refused(rule: string): HiveError {
  return new HiveError('IMAGE_INVALID', { rule })
}
