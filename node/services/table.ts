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

  /** The record whose id starts so (0x and 2 to 64 hex digits), when only one does; and how many do. */
  async only(start: string): Promise<{ readonly record?: T; readonly matches: number }> {
    const found: T[] = []
    if (/^0x[0-9a-f]{2,64}$/.test(start))
      for await (const record of this.all(start)) found.push(record)
    const [record] = found
    return record !== undefined && found.length === 1
      ? { record, matches: 1 }
      : { matches: found.length }
  }

  /** All records, in key order; `start` narrows to ids that begin so. */
  async *all(start = ''): AsyncIterable<T> {
    for await (const [key, bytes] of this.#store.entries(this.#prefix + start)) {
      yield decodeRecord(bytes, key) as T
    }
  }
}
