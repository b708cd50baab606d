import { codeOf } from '../../domain/errors.ts'
import type { Address, Bytes32 } from '../../domain/ids.ts'
import { second } from '../../domain/units.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Logger } from '../../ports/logger.ts'
import type { Requests } from '../../ports/requests.ts'
import { voucherAnswer, voucherRequest } from '../../protocol/requests.ts'
import { allEnded } from '../all-ended.ts'
import { KeyedLock } from '../keyed-lock.ts'
import type { ChannelLedger } from './channel-ledger.ts'
import type { ChannelRecord } from './channel-record.ts'

/** Pauses between attempts, ms; the last one repeats. */
const RETRY_PAUSES_MS = [second, 2 * second, 5 * second, 15 * second, 60 * second] as const

export interface VoucherDeliveryParts {
  readonly clock: Clock
  readonly logger: Logger
  readonly requests: Requests
  readonly channels: ChannelLedger
}

/** Brings vouchers to providers until they acknowledge them. A voucher is cumulative: only the newest counts. */
export class VoucherDelivery {
  readonly #parts: VoucherDeliveryParts
  readonly #lock = new KeyedLock()
  /** Ends the pause of a channel before its next attempt. */
  readonly #pauses = new Map<Bytes32, AbortController>()

  constructor(parts: VoucherDeliveryParts) {
    this.#parts = parts
  }

  /**
   * Resolves when the provider knows every paid share of all its channels, or the signal aborts. What is under way does
   * not wait for its next attempt any longer: there is more to bring, or the provider was heard of.
   */
  async deliver(provider: Address, signal: AbortSignal): Promise<void> {
    const channels = this.#parts.channels.all().filter((each) => each.provider === provider)
    await allEnded(channels.map(async ({ id }) => this.#deliverOn(id, signal)))
  }

  async #deliverOn(channel: Bytes32, signal: AbortSignal): Promise<void> {
    this.#pauses.get(channel)?.abort()
    await this.#lock.run(channel, async () => {
      for (let attempt = 0; !signal.aborted; attempt++) {
        const record = this.#parts.channels.all().find(({ id }) => id === channel)
        if (record === undefined || record.acknowledged >= record.jobs) return
        if (await this.#send(record, signal)) continue
        const pause = RETRY_PAUSES_MS[Math.min(attempt, RETRY_PAUSES_MS.length - 1)] ?? second
        await this.#pause(channel, pause, signal)
      }
    })
  }

  async #pause(channel: Bytes32, ms: number, signal: AbortSignal): Promise<void> {
    const enough = new AbortController()
    this.#pauses.set(channel, enough)
    const either = AbortSignal.any([signal, enough.signal])
    await this.#parts.clock.sleep(ms, either).catch(() => undefined) // the loop looks why
    this.#pauses.delete(channel)
  }

  async #send(record: ChannelRecord, signal: AbortSignal): Promise<boolean> {
    const { requests, channels, logger } = this.#parts
    const request = voucherRequest.encode(channels.vouchers.unacknowledged(record))
    try {
      const answer = voucherAnswer.decode(
        await requests.call(record.peer, 'voucher', request, { signal }),
      )
      await channels.acknowledge(record.id, answer.jobs)
      // Only what brings the two closer goes on without a pause: a provider could lead in circles.
      return answer.jobs > record.acknowledged && answer.jobs <= record.jobs
    } catch (error) {
      logger.warn('voucher not delivered', { provider: record.provider, code: codeOf(error) })
      return false
    }
  }
}
