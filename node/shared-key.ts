import { readFile } from 'node:fs/promises'
import { HiveError } from './domain/errors.ts'

/** What such a file begins with, in the format that other libp2p programs use too. */
const FORM = /^\/key\/swarm\/psk\/1\.0\.0\/\s+\/base16\/\s+[0-9a-f]{64}\s*$/i

/**
 * The key that all nodes of a private network share. Throws CONFIG_INVALID when the file cannot be read or is none, which
 * `hive network-key` makes.
 */
export async function readSharedKey(path: string | undefined): Promise<Uint8Array | undefined> {
  if (path === undefined) return undefined
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (cause) {
    throw faulty(path, 'cannot be read', cause)
  }
  if (!FORM.test(text)) throw faulty(path, 'is no key of a private network')
  return new TextEncoder().encode(text.trim())
}

function faulty(path: string, what: string, cause?: unknown): HiveError {
  const problems = [`network.keyFile: ${path} ${what}`]
  return new HiveError('CONFIG_INVALID', { problems }, { cause })
}
