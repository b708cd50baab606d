import { promisify } from 'node:util'
import { gunzip, zstdDecompress } from 'node:zlib'
import { HiveError } from '../../domain/errors.ts'

/** First bytes of what tools pack layers and archives with. Sources: RFC 1952 §2.3.1, RFC 8878 §3.1.1. */
const GZIP = [0x1f, 0x8b]
const ZSTD = [0x28, 0xb5, 0x2f, 0xfd]

const unzip = promisify(gunzip)
const unzstd = promisify(zstdDecompress)

/**
 * The bytes as they are, or unpacked when they are gzip or zstd; never more than `maxBytes`.
 * @throws HiveError IMAGE_INVALID
 */
export async function unpacked(bytes: Uint8Array, maxBytes: number): Promise<Uint8Array> {
  if (bytes.length > maxBytes) throw refused('the image is too large')
  const begins = (magic: readonly number[]) => magic.every((byte, at) => bytes[at] === byte)
  const unpack = begins(GZIP) ? unzip : begins(ZSTD) ? unzstd : undefined
  if (unpack === undefined) return bytes
  try {
    return await unpack(bytes, { maxOutputLength: Math.max(1, maxBytes) })
  } catch (cause) {
    throw refused('the packed data is damaged or unpacks to too much', cause)
  }
}

function refused(rule: string, cause?: unknown): HiveError {
  return new HiveError('IMAGE_INVALID', { rule }, { cause })
}
