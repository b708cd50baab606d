import { codeOf } from '../domain/errors.ts'
import type { Address } from '../domain/ids.ts'
import { minute, second } from '../domain/units.ts'
import type { Clock } from '../ports/clock.ts'
import type { AccountRecord, Escrow } from '../ports/escrow.ts'
import type { Logger } from '../ports/logger.ts'
import { withinTime } from './time-limit.ts'

export interface ChainRecordsParts {
  readonly clock: Clock
  readonly logger: Logger
  readonly escrow: Pick<Escrow, 'record'>
}

/** How long a record is taken as read, ms: what it holds changes by cases and claims, which take blocks. */
export const FRESH_MS: number = 10 * minute
/** How long the chain is not asked again about whom it did not answer about, ms. */
const RETRY_MS: number = 30 * second
/** How long the chain may take, ms: nobody waits for a record that does not come. */
const PATIENCE_MS: number = 2 * second
/** Most accounts that are remembered; strangers decide how many there are. */
export const MAX_RECORDS = 10_000

interface Known {
  /** Unix ms from when on it is read again. */
  readonly dueAt: number
  /** `undefined`: the chain did not answer, and nothing was known before. */
  readonly record: AccountRecord | undefined
}

/** What the contract remembers of accounts, as this node has read it of late; an endpoint that is away is no news. */
export class ChainRecords {
  readonly #parts: ChainRecordsParts
  readonly #max: number
  /** The one read longest ago first. */
  readonly #known = new Map<Address, Known>()
  readonly #asking = new Map<Address, Promise<AccountRecord | undefined>>()

  constructor(parts: ChainRecordsParts, max: number = MAX_RECORDS) {
    this.#parts = parts
    this.#max = max
  }

  /** What was read of an account, however long ago: a record only ever grows. `undefined` when it never was. */
  known(account: Address): AccountRecord | undefined {
    return this.#known.get(account)?.record
  }

  /** Whether the chain would be asked about an account. */
  isDue(account: Address): boolean {
    return this.#parts.clock.now() >= (this.#known.get(account)?.dueAt ?? 0)
  }

  /** As {@link known}, read again first where that is due. Never rejects. */
  async of(account: Address, signal: AbortSignal): Promise<AccountRecord | undefined> {
    if (!this.isDue(account)) return this.known(account)
    const asking = this.#asking.get(account) ?? this.#ask(account, signal)
    this.#asking.set(account, asking)
    try {
      return await asking
    } finally {
      this.#asking.delete(account)
    }
  }

  async #ask(account: Address, signal: AbortSignal): Promise<AccountRecord | undefined> {
    const { clock, logger, escrow } = this.#parts
    const limit = { ms: PATIENCE_MS, code: 'CHAIN_UNREACHABLE', signal } as const
    try {
      const record = await withinTime(clock, limit, async (limited) =>
        escrow.record(account, { signal: limited }),
      )
      this.#keep(account, { dueAt: clock.now() + FRESH_MS, record })
      return record
    } catch (error) {
      logger.debug('record not read', { account, code: codeOf(error) })
      const record = this.known(account)
      if (!signal.aborted) this.#keep(account, { dueAt: clock.now() + RETRY_MS, record })
      return record
    }
  }

  #keep(account: Address, known: Known): void {
    this.#known.delete(account)
    this.#known.set(account, known)
    const [oldest] = this.#known.keys()
    if (this.#known.size > this.#max && oldest !== undefined) this.#known.delete(oldest)
  }
}
