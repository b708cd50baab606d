import type { Bytes32 } from '../../domain/ids.ts'
import type { SecretValues } from '../../domain/secret-slot.ts'
import type { Sealer } from '../../ports/sealer.ts'
import type { Store } from '../../ports/store.ts'
import { encodeSecrets, keptSecretsContext } from '../../protocol/secrets.ts'

export interface SecretVaultParts {
  readonly store: Store
  readonly sealer: Sealer
}

const PREFIX = 'secret/'

/** The secrets of jobs that are not over yet, on disk under a key that only this node's own key gives. */
export class SecretVault {
  readonly #parts: SecretVaultParts

  constructor(parts: SecretVaultParts) {
    this.#parts = parts
  }

  /** Throws `MESSAGE_TOO_LARGE`. */
  async keep(job: Bytes32, secrets: SecretValues): Promise<void> {
    const { store, sealer } = this.#parts
    const plain = encodeSecrets(secrets)
    const value = sealer.sealOwn(keptSecretsContext(job), plain)
    plain.fill(0)
    await store.write([{ key: PREFIX + job, value }])
  }

  /** A job's secrets in the spelling of a box, for the caller to overwrite; `undefined` when it has none. */
  async read(job: Bytes32): Promise<Uint8Array | undefined> {
    const { store, sealer } = this.#parts
    const box = await store.get(PREFIX + job)
    return box === undefined ? undefined : sealer.openOwn(keptSecretsContext(job), box)
  }

  async forget(job: Bytes32): Promise<void> {
    const key = PREFIX + job
    if ((await this.#parts.store.get(key)) !== undefined)
      await this.#parts.store.write([{ key, value: undefined }])
  }

  /** Forgets the secrets of every job but these. */
  async forgetAllBut(jobs: ReadonlySet<Bytes32>): Promise<void> {
    const stale: string[] = []
    for await (const [key] of this.#parts.store.entries(PREFIX))
      if (!jobs.has(key.slice(PREFIX.length) as Bytes32)) stale.push(key)
    if (stale.length > 0)
      await this.#parts.store.write(stale.map((key) => ({ key, value: undefined })))
  }
}
