import { randomBytes } from 'node:crypto'
import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { HiveError } from '../domain/errors.ts'

/** Where the node's API is and what opens it. */
export interface ApiAccess {
  readonly port: number
  readonly token: string
  readonly pid: number
}

/** Name of the file in the data folder; only its owner can read it. */
export const API_FILE = 'api.json'
const OWNER_ONLY = 0o600
/** 256 bits cannot be guessed. */
const TOKEN_BYTES = 32

/** A fresh token for one run of the node. */
export function newToken(): string {
  return randomBytes(TOKEN_BYTES).toString('base64url')
}

/** Leaves the access for the command line; never half written. Throws `DATA_UNUSABLE`. */
export async function writeApiFile(dataDir: string, access: ApiAccess): Promise<void> {
  const path = join(dataDir, API_FILE)
  const draft = `${path}.${access.pid}`
  try {
    await writeFile(draft, `${JSON.stringify(access)}\n`, { mode: OWNER_ONLY })
    await rename(draft, path)
  } catch (cause) {
    await rm(draft, { force: true }).catch(() => undefined) // the first failure is the one to tell
    throw new HiveError('DATA_UNUSABLE', { path }, { cause })
  }
}

/** Removes the file unless another run has replaced it. */
export async function removeApiFile(dataDir: string, access: ApiAccess): Promise<void> {
  const current = await readApiFile(dataDir)
  if (current?.token === access.token) await rm(join(dataDir, API_FILE), { force: true })
}

/** The access of the node in a data folder, or `undefined` when none is written there. */
export async function readApiFile(dataDir: string): Promise<ApiAccess | undefined> {
  try {
    const raw = JSON.parse(await readFile(join(dataDir, API_FILE), 'utf8')) as Partial<ApiAccess>
    const { port, token, pid } = raw
    const fits = typeof port === 'number' && typeof token === 'string' && typeof pid === 'number'
    return fits ? { port, token, pid } : undefined
  } catch {
    // Missing, or written by nobody we know: no node to talk to.
    return undefined
  }
}
