import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { HiveError } from '../domain/errors.ts'
import type { Config } from './config.ts'
import type { Overrides } from './overrides.ts'
import { problemLine, type Problem } from './reading.ts'
import { parseConfig } from './schema.ts'
import { readYaml } from './yaml-document.ts'

/** Name of the config file in a data folder; JSON is fine in it, being YAML too. */
export const CONFIG_FILE = 'config.yaml'

/** The config of a data folder. Throws `CONFIG_MISSING`, `CONFIG_INVALID` or `DATA_UNUSABLE`. */
export async function loadConfig(dataDir: string, env: Overrides): Promise<Config> {
  const path = join(dataDir, CONFIG_FILE)
  return parseConfigText(await contentOf(path), env)
}

/** A config file's text. Throws `CONFIG_INVALID`. */
export function parseConfigText(text: string, env: Overrides): Config {
  const problems: Problem[] = []
  const raw = readYaml(text, problems)
  if (problems.length > 0)
    throw new HiveError('CONFIG_INVALID', { problems: problems.map(problemLine) })
  return parseConfig(raw, env)
}

async function contentOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT'
    throw new HiveError(missing ? 'CONFIG_MISSING' : 'DATA_UNUSABLE', { path }, { cause })
  }
}
