import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { HiveError } from '../domain/errors.ts'
import type { Overrides } from './overrides.ts'

/** What the environment says, less its secrets. */
export interface Environment {
  /** `HIVE_…` variables that override the config file. */
  readonly overrides: Overrides
  /** Data folder unless a flag names another. */
  readonly dataDir: string
  /** Whether NO_COLOR asks for plain text. */
  readonly noColor: boolean
}

const SECRETS: ReadonlySet<string> = new Set(['HIVE_PASSPHRASE', 'HIVE_PASSPHRASE_FILE'])

/** Reads the process's environment; nothing else in the project does. */
export function readEnvironment(env: Overrides = processEnvironment()): Environment {
  const ours = Object.entries(env).filter(
    ([name]) => name.startsWith('HIVE_') && !SECRETS.has(name) && name !== 'HIVE_DATA',
  )
  return {
    overrides: Object.fromEntries(ours),
    dataDir: nonEmpty(env['HIVE_DATA']) ?? join(homedir(), '.hive'),
    noColor: nonEmpty(env['NO_COLOR']) !== undefined,
  }
}

/**
 * The keystore's passphrase from HIVE_PASSPHRASE, or from the file that HIVE_PASSPHRASE_FILE names
 * (without its last line break); `undefined` when neither is set. Throws `PASSPHRASE_MISSING` when
 * the file cannot be read. Never put into a {@link Environment}, a config or a log.
 */
export async function readPassphraseSetting(
  env: Overrides = processEnvironment(),
): Promise<string | undefined> {
  const file = nonEmpty(env['HIVE_PASSPHRASE_FILE'])
  if (file === undefined) return nonEmpty(env['HIVE_PASSPHRASE'])
  try {
    return (await readFile(file, 'utf8')).replace(/\r?\n$/, '')
  } catch (cause) {
    throw new HiveError('PASSPHRASE_MISSING', { file }, { cause })
  }
}

/** A variable that the user names as the source of a secret; for nothing else. */
export function readVariable(name: string, env = processEnvironment()): string | undefined {
  return Object.hasOwn(env, name) ? env[name] : undefined
}

function processEnvironment(): Overrides {
  // oxlint-disable-next-line node/no-process-env -- the one place that reads it
  return process.env
}

function nonEmpty(value: string | undefined): string | undefined {
  return value === '' ? undefined : value
}
