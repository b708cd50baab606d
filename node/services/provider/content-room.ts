import { HiveError } from '../../domain/errors.ts'

/** The disk that strangers' content may take while their shares are under way. */
export class ContentRoom {
  readonly #total: number
  #taken = 0

  constructor(totalBytes: number) {
    this.#total = totalBytes
  }

  /** Sets bytes aside until disposed of. Throws CONTENT_BUDGET before anything is fetched. */
  take(bytes: number): Disposable {
    const free = this.#total - this.#taken
    if (bytes > free) throw new HiveError('CONTENT_BUDGET', { bytes, free })
    this.#taken += bytes
    return { [Symbol.dispose]: () => void (this.#taken -= bytes) }
  }
}
