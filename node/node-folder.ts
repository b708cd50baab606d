import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createPrivateKey, openKeystore, sealKeystore } from './adapters/chain/keystore.ts'
import { createKeySigner } from './adapters/system/key-signer.ts'
import { CONFIG_FILE } from './config/config-file.ts'
import { initialConfigText, type InitialConfig } from './config/initial-file.ts'
import { HiveError } from './domain/errors.ts'
import type { Address, PeerId } from './domain/ids.ts'

/** Name of the encrypted key file in a data folder. */
export const KEYSTORE_FILE = 'keystore.json'

/** Who a node is. */
export interface NodeIdentity {
  readonly address: Address
  readonly peer: PeerId
  /** 32 bytes; only ever handed to what signs. */
  readonly privateKey: Uint8Array
}

/**
 * Makes a data folder: a new key, encrypted, and a config file. Throws `ALREADY_INITIALISED` and
 * touches nothing when there is one, `CONFIG_INVALID` when the node would refuse its own config.
 */
export async function createNodeFolder(
  dataDir: string,
  passphrase: string,
  initial: InitialConfig,
): Promise<NodeIdentity> {
  const config = initialConfigText(initial)
  const privateKey = createPrivateKey()
  const keystore = await sealKeystore(privateKey, passphrase)
  await mkdir(dataDir, { recursive: true, mode: 0o700 })
  await writeNew(join(dataDir, KEYSTORE_FILE), keystore)
  await writeNew(join(dataDir, CONFIG_FILE), config)
  return identity(privateKey)
}

/** The identity of a data folder. Throws `CONFIG_MISSING`, `KEYSTORE_INVALID` or `PASSPHRASE_WRONG`. */
export async function openIdentity(dataDir: string, passphrase: string): Promise<NodeIdentity> {
  return identity(await openKeystore(await readKeystore(dataDir), passphrase))
}

async function readKeystore(dataDir: string): Promise<string> {
  try {
    return await readFile(join(dataDir, KEYSTORE_FILE), 'utf8')
  } catch (cause) {
    throw new HiveError('CONFIG_MISSING', { folder: dataDir }, { cause })
  }
}

/** Fails rather than overwrite: a key that is gone takes its money with it. */
async function writeNew(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text, { flag: 'wx', mode: 0o600 })
  } catch (cause) {
    throw new HiveError('ALREADY_INITIALISED', { path }, { cause })
  }
}

function identity(privateKey: Uint8Array): NodeIdentity {
  const { address, peer } = createKeySigner(privateKey)
  return { address, peer, privateKey }
}
