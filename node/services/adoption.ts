import type { Bytes32 } from '../domain/ids.ts'
import type { Escrow } from '../ports/escrow.ts'
import type { Logger } from '../ports/logger.ts'
import type { Store } from '../ports/store.ts'
import { isOver, REORGANISED_BLOCKS } from './buried.ts'
import type { DriftCounts } from './drift.ts'
import type { Earnings } from './provider/earnings.ts'
import type { ChannelLedger } from './requester/channel-ledger.ts'
import type { ForgottenChannels } from './requester/forgotten-channels.ts'
import type { Signing } from './signing.ts'
import { Table } from './table.ts'

export interface AdoptionParts {
  readonly logger: Logger
  readonly store: Store
  readonly escrow: Escrow
  readonly signing: Signing
  readonly channels: ChannelLedger
  readonly forgotten: ForgottenChannels
  readonly earnings: Earnings | undefined
}

/** Ranges of blocks that one pass reads at most: a long chain is read over several passes. */
const READS_PER_PASS = 20

/** How far the openings have been read. */
interface Progress {
  readonly block: number
}

/**
 * Takes into account the node's channels that none of its records tells of: those opened on a bond offer of its whose
 * award never came, and those whose records are lost.
 */
export class Adoption {
  readonly #parts: AdoptionParts
  readonly #table: Table<Progress>

  constructor(parts: AdoptionParts) {
    this.#parts = parts
    this.#table = new Table(parts.store, 'openings/')
  }

  /**
   * Reads openings on from where the last pass came to, and once more the blocks that a reorganised chain may have
   * replaced since. Throws what the escrow throws; what was read before that stays adopted.
   */
  async pass(counts: DriftCounts, signal: AbortSignal): Promise<void> {
    const { escrow, signing } = this.#parts
    const account = signing.address
    const block = (await this.#table.get('own'))?.block ?? 0
    let fromBlock = Math.max(0, block - REORGANISED_BLOCKS)
    for (let read = 0; read < READS_PER_PASS; read++) {
      const { channels, upTo, newest } = await escrow.channelsOf({ account, fromBlock }, { signal })
      for (const id of channels)
        if (!this.#isKnown(id) && (await this.#adopt(id, signal))) counts.mended('channel')
      if (upTo > block) await this.#table.put('own', { block: upTo })
      if (upTo >= newest) return
      fromBlock = upTo + 1
    }
  }

  #isKnown(id: Bytes32): boolean {
    const { channels, earnings, forgotten } = this.#parts
    return channels.knows(id) || earnings?.get(id) !== undefined || forgotten.has(id)
  }

  /** False for a channel in which there is nothing left to see to. */
  async #adopt(id: Bytes32, signal: AbortSignal): Promise<boolean> {
    const { escrow, signing, earnings, forgotten, logger } = this.#parts
    const channel = await escrow.channel(id, { signal })
    // Asked for again: it may have become known meanwhile.
    if (channel === undefined || isOver(channel) || this.#isKnown(id)) return false
    const earns = channel.provider === signing.address && earnings !== undefined
    if (earns) await earnings.adopt(channel)
    else await forgotten.adopt(id)
    logger.warn('channel found that was not on record', { channel: id, earns })
    return true
  }
}
