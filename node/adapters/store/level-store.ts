import { setTimeout as sleep } from 'node:timers/promises'
import { Level } from 'level'
import { HiveError } from '../../domain/errors.ts'
import { second } from '../../domain/units.ts'
import type { Store, StoreChange } from '../../ports/store.ts'
import { hasBucket, SCHEMA_KEY, SCHEMA_VERSION } from './buckets.ts'
import { keyRange } from './key-range.ts'

/** How long after a disk was found full it is tried again, ms. */
const LOOK_AGAIN_MS: number = 1 * second

/** What a store tells of itself. */
export interface LevelStoreOptions {
  /** Called when the disk turns out to be full, and when there is room again. */
  readonly onFull?: (isFull: boolean) => void
}

/**
 * Opens the store in folder `dir`, creating it when absent. Throws DATA_LOCKED while another process
 * has it open and DATA_DAMAGED when it cannot be read or was written by a newer version.
 */
export async function openLevelStore(
  dir: string,
  options: LevelStoreOptions = {},
): Promise<LevelStore> {
  const db = new Level<Uint8Array, Uint8Array>(dir, { keyEncoding: 'view', valueEncoding: 'view' })
  try {
    await db.open()
  } catch (cause) {
    throw openFault(dir, cause)
  }
  const store = new LevelStore(db, options)
  try {
    await checkSchema(store, dir)
  } catch (error) {
    await db.close()
    throw error
  }
  return store
}

/**
 * The port over LevelDB. Made by {@link openLevelStore}. While the disk is full, calls wait until there is room: nothing
 * is acted on that is not on record, so the node stands still and goes on where it stood.
 */
export class LevelStore implements Store {
  readonly #db: Level<Uint8Array, Uint8Array>
  readonly #options: LevelStoreOptions
  readonly #stop = new AbortController()
  /** Under way while the disk is full. */
  #mending: Promise<void> | undefined

  constructor(db: Level<Uint8Array, Uint8Array>, options: LevelStoreOptions) {
    this.#db = db
    this.#options = options
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    await this.#mending
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
    for (;;) {
      await this.#mending
      try {
        return await this.#db.batch(batch, { sync: options.sync ?? false })
      } catch (cause) {
        // the next batch would have to wait or fail as well; this one may be on disk already, and twice is as once
        if (!isFull(cause) || this.#stop.signal.aborted) throw storeFault('write', cause)
        await (this.#mending ??= this.#mend())
      }
    }
  }

  entries(prefix: string): AsyncIterable<readonly [key: string, value: Uint8Array]> {
    const read = () => this.#db.iterator(keyRange(encode(prefix)))
    // made here and not on the first step: the snapshot is that of the call
    return readAll(this.#mending === undefined ? read() : this.#mending.then(read))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await this.#mending
    await this.#db.close()
  }

  /**
   * Opens the database again until that works. LevelDB goes on writing behind a record that it could only write in part,
   * and loses what it wrote there when it is read back; opening it cuts that part off.
   */
  async #mend(): Promise<void> {
    const { signal } = this.#stop
    this.#options.onFull?.(true)
    for (let isOpen = false; !isOpen && !signal.aborted;) {
      await sleep(LOOK_AGAIN_MS, undefined, { signal }).catch(() => undefined) // the disposal ends it
      await this.#db.close()
      isOpen = await this.#db.open().then(
        () => true,
        () => false, // it needs room to put its log in order
      )
    }
    this.#mending = undefined
    this.#options.onFull?.(false)
  }
}

/** Whether there was no room for a write. LevelDB hands on the system's words alone. */
function isFull(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  return /No space left on device|Disk quota exceeded/.test(error.message) || isFull(error.cause)
}

type Pairs = AsyncIterable<[Uint8Array, Uint8Array]>

async function* readAll(
  pairs: Pairs | Promise<Pairs>,
): AsyncGenerator<readonly [string, Uint8Array]> {
  try {
    for await (const [key, value] of await pairs) yield [decoder.decode(key), plain(value)]
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
