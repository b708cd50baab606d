import { Level } from 'level'
import { HiveError } from '../../domain/errors.ts'
import type { Store, StoreChange } from '../../ports/store.ts'
import { hasBucket, SCHEMA_KEY, SCHEMA_VERSION } from './buckets.ts'
import { keyRange } from './key-range.ts'

/**
 * Opens the store in folder `dir`, creating it when absent. Throws DATA_LOCKED while another process
 * has it open and DATA_DAMAGED when it cannot be read or was written by a newer version.
 */
export async function openLevelStore(dir: string): Promise<LevelStore> {
  const db = new Level<Uint8Array, Uint8Array>(dir, { keyEncoding: 'view', valueEncoding: 'view' })
  try {
    await db.open()
  } catch (cause) {
    throw openFault(dir, cause)
  }
  const store = new LevelStore(db)
  try {
    await checkSchema(store, dir)
  } catch (error) {
    await db.close()
    throw error
  }
  return store
}

/** The port over LevelDB. Made by {@link openLevelStore}. */
export class LevelStore implements Store {
  readonly #db: Level<Uint8Array, Uint8Array>

  constructor(db: Level<Uint8Array, Uint8Array>) {
    this.#db = db
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    try {
      // Level's types leave out that an absent key gives undefined
      const value: Uint8Array | undefined = await this.#db.get(encode(key))
      return value === undefined ? undefined : plain(value)
    } catch (cause) {
      throw storeFault('get', cause)
    }
  }

  async write(
    changes: readonly StoreChange[],
    options: { readonly sync?: boolean } = {},
  ): Promise<void> {
    const batch = changes.map(({ key, value }) => {
      if (!hasBucket(key)) throw new HiveError('INTERNAL', { key, expected: 'a listed prefix' })
      return value === undefined
        ? ({ type: 'del', key: encode(key) } as const)
        : ({ type: 'put', key: encode(key), value } as const)
    })
    try {
      await this.#db.batch(batch, { sync: options.sync ?? false })
    } catch (cause) {
      throw storeFault('write', cause)
    }
  }

  entries(prefix: string): AsyncIterable<readonly [key: string, value: Uint8Array]> {
    // made here and not on the first step: the snapshot is that of the call
    return readAll(this.#db.iterator(keyRange(encode(prefix))))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#db.close()
  }
}

async function* readAll(
  pairs: AsyncIterable<[Uint8Array, Uint8Array]>,
): AsyncGenerator<readonly [string, Uint8Array]> {
  try {
    for await (const [key, value] of pairs) yield [decoder.decode(key), plain(value)]
  } catch (cause) {
    throw storeFault('entries', cause)
  }
}

async function checkSchema(store: LevelStore, dir: string): Promise<void> {
  const stored = await store.get(SCHEMA_KEY)
  if (stored === undefined) {
    await store.write([{ key: SCHEMA_KEY, value: encode(String(SCHEMA_VERSION)) }], { sync: true })
    return
  }
  const version = Number(decoder.decode(stored))
  if (version === SCHEMA_VERSION) return
  throw new HiveError('DATA_DAMAGED', { dir, version, reads: SCHEMA_VERSION })
}

function openFault(dir: string, cause: unknown): HiveError {
  const code = levelCodes(cause).includes('LEVEL_LOCKED') ? 'DATA_LOCKED' : 'DATA_DAMAGED'
  return new HiveError(code, { dir }, { cause })
}

function storeFault(operation: string, cause: unknown): HiveError {
  if (cause instanceof HiveError) return cause
  const damaged = levelCodes(cause).includes('LEVEL_CORRUPTION')
  return new HiveError(damaged ? 'DATA_DAMAGED' : 'DATA_UNUSABLE', { operation }, { cause })
}

/** Codes of an error and its causes; Level puts the reason one level down. */
function levelCodes(error: unknown): string[] {
  if (!(error instanceof Error)) return []
  const own = 'code' in error && typeof error.code === 'string' ? [error.code] : []
  return [...own, ...levelCodes(error.cause)]
}

/** Level may hand out a Buffer; callers compare and encode plain arrays. */
function plain(value: Uint8Array): Uint8Array {
  return new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()

function encode(text: string): Uint8Array {
  return encoder.encode(text)
}
