import { hasBucket } from '../../node/adapters/store/buckets.ts'
import { HiveError } from '../../node/domain/errors.ts'
import type { Store, StoreChange } from '../../node/ports/store.ts'

/** The store port in memory. */
export class MemoryStore implements Store {
  readonly #values = new Map<string, Uint8Array>()
  #open = true

  async get(key: string): Promise<Uint8Array | undefined> {
    this.#mustBeOpen('get')
    return this.#values.get(key)?.slice()
  }

  async write(changes: readonly StoreChange[]): Promise<void> {
    this.#mustBeOpen('write')
    const stray = changes.find(({ key }) => !hasBucket(key))
    if (stray !== undefined) {
      throw new HiveError('INTERNAL', { key: stray.key, expected: 'a listed prefix' })
    }
    for (const { key, value } of changes) {
      if (value === undefined) this.#values.delete(key)
      else this.#values.set(key, value.slice())
    }
  }

  entries(prefix: string): AsyncIterable<readonly [key: string, value: Uint8Array]> {
    const pairs = [...this.#values]
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, value]) => [key, value.slice()] as const)
      .sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    return this.#each(pairs)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#open = false
  }

  async *#each(
    pairs: readonly (readonly [string, Uint8Array])[],
  ): AsyncGenerator<readonly [string, Uint8Array]> {
    for (const pair of pairs) {
      this.#mustBeOpen('entries')
      yield pair
    }
  }

  #mustBeOpen(operation: string): void {
    if (!this.#open) throw new HiveError('DATA_UNUSABLE', { operation })
  }
}
