import type { Store, StoreChange } from '../ports/store.ts'
import { decodeRecord, encodeRecord } from '../protocol/record-codec.ts'

/** Typed view of the keys under one prefix of the store. Only for records that this node wrote. */
export class Table<T> {
  readonly #store: Store
  readonly #prefix: string

  constructor(store: Store, prefix: string) {
    this.#store = store
    this.#prefix = prefix
  }

  async get(id: string): Promise<T | undefined> {
    const key = this.#prefix + id
    const bytes = await this.#store.get(key)
    return bytes === undefined ? undefined : (decodeRecord(bytes, key) as T)
  }

  async put(id: string, value: T): Promise<void> {
    await this.#store.write([this.change(id, value)])
  }

  async remove(id: string): Promise<void> {
    await this.#store.write([{ key: this.#prefix + id, value: undefined }])
  }

  /** The change that a batch over several tables can carry. */
  change(id: string, value: T): StoreChange {
    return { key: this.#prefix + id, value: encodeRecord(value) }
  }

  /** The change that takes a record out. */
  removal(id: string): StoreChange {
    return { key: this.#prefix + id, value: undefined }
  }

  /** All records, in key order; `start` narrows to ids that begin so. */
  async *all(start = ''): AsyncIterable<T> {
    for await (const [key, bytes] of this.#store.entries(this.#prefix + start)) {
      yield decodeRecord(bytes, key) as T
    }
  }
}
