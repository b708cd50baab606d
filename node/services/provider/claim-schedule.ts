import { codeOf } from '../../domain/errors.ts'
import type { Bytes32 } from '../../domain/ids.ts'
import { second } from '../../domain/units.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Logger } from '../../ports/logger.ts'
import { ALONE_IS_WORTH_A_TRY, MAX_CLAIMS_AT_ONCE } from './claims.ts'

export interface ClaimScheduleParts {
  readonly clock: Clock
  readonly logger: Logger
  /** Claims all of these in one transaction. */
  readonly claim: (channels: readonly Bytes32[], signal: AbortSignal) => Promise<void>
}

/** How long to wait before a claim that failed is tried again, ms. */
const CLAIM_RETRY_MS: number = 15 * second
/** Longest sleep, ms: what became due in a leap of the clock is not missed for long. */
const MAX_SLEEP_MS: number = 60 * second

/** Which channels are to be claimed when; claims what is due, together where it can be. */
export class ClaimSchedule {
  readonly #parts: ClaimScheduleParts
  readonly #dueAt = new Map<Bytes32, number>()
  #wake: () => void = () => {}

  constructor(parts: ClaimScheduleParts) {
    this.#parts = parts
  }

  /** Has a channel claimed in `afterMs`, whatever was set for it before. */
  set(channel: Bytes32, afterMs: number): void {
    this.#dueAt.set(channel, this.#parts.clock.now() + afterMs)
    this.#wake()
  }

  /** Has a channel not claimed any more. */
  drop(channel: Bytes32): void {
    this.#dueAt.delete(channel)
  }

  /** Claims what is due until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const now = this.#parts.clock.now()
      const due = [...this.#dueAt].filter(([, at]) => at <= now).map(([id]) => id)
      if (due.length > 0) await this.#claim(due.slice(0, MAX_CLAIMS_AT_ONCE), signal)
      if (due.length === 0) await this.#untilNext(signal)
    }
  }

  async #claim(due: readonly Bytes32[], signal: AbortSignal): Promise<void> {
    for (const id of due) this.#dueAt.delete(id)
    try {
      await this.#parts.claim(due, signal)
    } catch (error) {
      if (signal.aborted) return
      const code = codeOf(error)
      const [channel = ''] = due
      this.#parts.logger.warn('claim failed', { channel, channels: due.length, code })
      if (due.length > 1 && ALONE_IS_WORTH_A_TRY.has(code)) {
        for (const id of due) await this.#claim([id], signal)
        return
      }
      for (const id of due) this.#dueAt.set(id, this.#parts.clock.now() + CLAIM_RETRY_MS)
    }
  }

  async #untilNext(signal: AbortSignal): Promise<void> {
    const next = Math.min(...this.#dueAt.values(), Infinity)
    const done = new AbortController()
    const woken = new Promise<void>((resolve) => (this.#wake = resolve))
    const ms = Math.min(Math.max(next - this.#parts.clock.now(), 0), MAX_SLEEP_MS)
    const timer = this.#parts.clock.sleep(ms, AbortSignal.any([signal, done.signal]))
    await Promise.race([woken, timer.catch(() => undefined)]) // an abort ends the loop
    done.abort()
  }
}
