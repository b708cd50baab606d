import type { Decline } from '../../domain/decline.ts'
import type { DeclineCode } from '../../domain/decline-errors.ts'
import { HiveError } from '../../domain/errors.ts'
import { wallClock, type LocalTime } from '../../domain/hours.ts'
import type { Amount } from '../../domain/money.ts'
import type { Offer } from '../../domain/offer.ts'
import { askedPrice } from '../../domain/pricing.ts'
import {
  awardDecline,
  bidDecline,
  passingDecline,
  type Circumstances,
  type ProviderPolicy,
} from '../../domain/provider-policy.ts'
import { second } from '../../domain/units.ts'
import type { Clock } from '../../ports/clock.ts'
import type { MachineState } from '../../ports/machine-state.ts'
import type { Credit } from './credit.ts'
import type { Slots } from './slots.ts'

export interface AdmissionParts {
  readonly clock: Clock
  readonly machine: MachineState
  readonly slots: Slots
  /** Where the node keeps its records. Left out: there is always room. */
  readonly disk?: { readonly isFull: boolean }
  /** Left out: every requester is trusted without end. */
  readonly credit?: Pick<Credit, 'declined'>
}

export interface AdmissionOptions {
  readonly policy: ProviderPolicy
  /** Name of the zone that the policy's hours are in; left open: the machine's. */
  readonly timeZone: string | undefined
  /** Most that one task may have of the processor, where jobs together are promised more than there is. */
  readonly mostCpuMillis?: number
}

/** How often the machine is looked at, so that use between two offers is seen when it happens, ms. */
const LOOK_EVERY_MS: number = 20 * second

/** Applies the provider's policy as things stand now: once for the bid, and again for the award. */
export class Admission {
  readonly #parts: AdmissionParts
  readonly #options: AdmissionOptions
  readonly #localTime: (at: number) => LocalTime
  #isClosed = false

  constructor(parts: AdmissionParts, options: AdmissionOptions) {
    this.#parts = parts
    this.#options = options
    const zone = options.timeZone ?? Intl.DateTimeFormat().resolvedOptions().timeZone
    this.#localTime = wallClock(zone)
  }

  /** Takes nothing any more: the node is about to stop. */
  close(): void {
    this.#isClosed = true
  }

  /** Why the node does not bid on the offer, or `undefined`. */
  async declined(offer: Offer): Promise<Decline | undefined> {
    if (this.#isClosed) return { code: 'DECLINED_STOPPING' }
    const declined = bidDecline(this.#options.policy, offer, await this.#circumstances())
    return declined ?? this.#parts.credit?.declined(offer, this.price(offer))
  }

  /**
   * Throws the decline's code when an offer that was bid on is no longer welcome. The price is no reason any more: the
   * bid has promised it. Whether there is room is for the booking to say.
   */
  async confirm(offer: Offer): Promise<void> {
    if (this.#isClosed) throw new HiveError('DECLINED_STOPPING')
    const declined = awardDecline(this.#options.policy, offer, await this.#circumstances())
    if (declined !== undefined) throw new HiveError(declined.code)
  }

  /** What the node asks for one task of the offer now. */
  price(offer: Offer): Amount {
    return askedPrice(offer, this.#options.policy.terms, this.#parts.slots.load)
  }

  /** Why the node takes no new work at all now, or `undefined`. */
  async pausedBy(): Promise<DeclineCode | undefined> {
    if (this.#isClosed) return 'DECLINED_STOPPING'
    return passingDecline(this.#options.policy, await this.#circumstances())?.code
  }

  /** Keeps an eye on the machine where its owner's use counts. Resolves when the signal aborts. */
  async watch(signal: AbortSignal): Promise<void> {
    if (this.#options.policy.pauseWhenActiveMs === undefined) return
    const { clock, machine } = this.#parts
    while (!signal.aborted) {
      await machine.read()
      await clock.sleep(LOOK_EVERY_MS, signal).catch(() => undefined) // the node stops
    }
  }

  async #circumstances(): Promise<Circumstances> {
    const { clock, machine, slots, disk } = this.#parts
    const { policy, mostCpuMillis = Infinity } = this.#options
    const asks = policy.pauseOnBattery || policy.pauseWhenActiveMs !== undefined
    const { onBattery, idleMs } = asks
      ? await machine.read()
      : { onBattery: false, idleMs: undefined }
    return {
      time: this.#localTime(clock.now()),
      isDiskFull: disk?.isFull ?? false,
      onBattery,
      idleMs,
      total: { ...slots.total, cpuMillis: Math.min(slots.total.cpuMillis, mostCpuMillis) },
      gpus: slots.gpus,
      waiting: slots.waiting,
      load: slots.load,
    }
  }
}
