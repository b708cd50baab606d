import { randomBytes, scrypt as nodeScrypt } from 'node:crypto'
import { promisify } from 'node:util'
import { decryptKeystoreJson, encryptKeystoreJson, isKeystoreJson, scrypt, Wallet } from 'ethers'
import { HiveError } from '../../domain/errors.ts'
import type { Hex } from '../../domain/ids.ts'
import { fromHex, toHex } from '../../protocol/bytes.ts'

/** Memory that scrypt may take, bytes; its usual cost (N 2^17, r 8) needs 128 MiB and a little. */
const SCRYPT_MAX_MEMORY_BYTES = 192 * 1024 * 1024

const nativeScrypt = promisify<Buffer, Buffer, number, object, Buffer>(nodeScrypt)

// The library's own scrypt is JavaScript: seconds instead of a third of one.
scrypt.register(async (passphrase, salt, N, r, p, length) => {
  const options = { N, r, p, maxmem: SCRYPT_MAX_MEMORY_BYTES }
  return nativeScrypt(Buffer.from(passphrase), Buffer.from(salt), length, options)
})

/** A new private key, 32 bytes. */
export function createPrivateKey(): Uint8Array {
  return fromHex(new Wallet(toHex(randomBytes(32))).privateKey as Hex)
}

/** The key as Web3 Secret Storage text, which any Ethereum wallet opens with the passphrase. */
export async function sealKeystore(privateKey: Uint8Array, passphrase: string): Promise<string> {
  const { address } = new Wallet(toHex(privateKey))
  return encryptKeystoreJson({ address, privateKey: toHex(privateKey) }, passphrase)
}

/** The private key of a keystore. Throws `KEYSTORE_INVALID` or `PASSPHRASE_WRONG`. */
export async function openKeystore(text: string, passphrase: string): Promise<Uint8Array> {
  if (!isKeystoreJson(text)) throw new HiveError('KEYSTORE_INVALID')
  try {
    const { privateKey } = await decryptKeystoreJson(text, passphrase)
    return fromHex(privateKey as Hex)
  } catch (cause) {
    throw new HiveError('PASSPHRASE_WRONG', {}, { cause })
  }
}
