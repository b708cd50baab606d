import { GuestEnd } from './guest-end.ts'

/** What a name costs besides its file's bytes, so that empty files are not free. Measured: about 200 B of heap. */
export const ENTRY_BYTES = 256

/** Bytes that a guest holds in its file tree; taking more than the limit ends it. */
export class DiskQuota {
  readonly #limit: number
  #held = 0

  constructor(limitBytes: number) {
    this.#limit = limitBytes
  }

  take(bytes: number): void {
    if (this.#held + bytes > this.#limit)
      throw new GuestEnd('disk-limit', -1, `the task's disk is limited to ${this.#limit} bytes`)
    this.#held += bytes
  }

  give(bytes: number): void {
    this.#held -= bytes
  }
}
