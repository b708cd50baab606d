import { HiveError } from '../../domain/errors.ts'
import type { PeerId } from '../../domain/ids.ts'
import { isFinal } from '../../domain/job-state.ts'
import { second } from '../../domain/units.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Logger } from '../../ports/logger.ts'
import type { Requests } from '../../ports/requests.ts'
import type { Sealer } from '../../ports/sealer.ts'
import { addressOfPeer } from '../../protocol/identity.ts'
import { secretsContext } from '../../protocol/secrets.ts'
import type { Signing } from '../signing.ts'
import type { JobBook } from './job-book.ts'
import type { SecretVault } from './secret-vault.ts'

export interface SecretHandoverParts {
  readonly clock: Clock
  readonly logger: Logger
  readonly requests: Requests
  readonly signing: Signing
  readonly sealer: Sealer
  readonly book: JobBook
  readonly vault: SecretVault
}

export interface SecretHandoverOptions {
  readonly network: string
}

/** Answers providers that ask for the secrets of a share of theirs. */
export class SecretHandover {
  readonly #parts: SecretHandoverParts
  readonly #options: SecretHandoverOptions

  constructor(parts: SecretHandoverParts, options: SecretHandoverOptions) {
    this.#parts = parts
    this.#options = options
  }

  /** Listens, from here on. */
  answer(): void {
    this.#parts.requests.answer('secrets', async (from, bytes) => this.#answer(from, bytes))
  }

  async #answer(from: PeerId, bytes: Uint8Array): Promise<Uint8Array> {
    const { clock, logger, signing, sealer, book, vault } = this.#parts
    const provider = addressOfPeer(from)
    // [REJECT] secrets R1: both parties have signed the agreement, and the one that asks is its provider
    const { id } = signing.openFrom('Agreement', bytes, [signing.address, provider])
    // [REJECT] secrets R2: it is of a share that this node has awarded to that peer, and that is not over
    const share = await book.share(id)
    const isLive = share !== undefined && share.peer === from && !isFinal(share.state)
    if (!isLive || clock.now() > share.finishBy * second)
      throw new HiveError('AGREEMENT_UNKNOWN', { agreement: id })
    // [REJECT] secrets R3: its job is not over and has secrets
    const job = await book.find(share.job)
    const plain = isFinal(job.state) ? undefined : await vault.read(job.id)
    if (plain === undefined) throw new HiveError('SECRETS_UNAVAILABLE', { agreement: id })
    const { network } = this.#options
    const binding = { network, agreement: id, requester: signing.address, provider }
    const box = sealer.sealFor(from, secretsContext(binding), plain)
    plain.fill(0)
    logger.debug('secrets handed over', { agreement: id, provider })
    return box
  }
}
