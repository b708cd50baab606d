/** One change of a batch; `value: undefined` removes the key. */
export interface StoreChange {
  readonly key: string
  readonly value: Uint8Array | undefined
}

/** Durable, ordered key-value store of one node. Keys are text; order is that of their UTF-8 bytes. */
export interface Store extends AsyncDisposable {
  /** The value, or `undefined` when the key is absent. */
  get(key: string): Promise<Uint8Array | undefined>
  /**
   * All changes or none, also across a crash of the process; resolved means durable against it.
   * With `sync`, durable against a power loss too: for money.
   */
  write(changes: readonly StoreChange[], options?: { readonly sync?: boolean }): Promise<void>
  /** Pairs whose key starts with `prefix`, ascending, as of the call. */
  entries(prefix: string): AsyncIterable<readonly [key: string, value: Uint8Array]>
}
