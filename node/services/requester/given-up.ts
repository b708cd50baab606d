import { codeOf } from '../../domain/errors.ts'
import type { Address, Bytes32, PeerId } from '../../domain/ids.ts'
import { second } from '../../domain/units.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Requests } from '../../ports/requests.ts'
import { shareRequest } from '../../protocol/requests.ts'
import { KeyedLock } from '../keyed-lock.ts'
import { withinTime } from '../time-limit.ts'
import type { ChannelLedger } from './channel-ledger.ts'

/** How long a provider may take to hear that a share was given up, ms. */
const STOP_TIMEOUT_MS: number = 5 * second
/** Pauses between attempts, ms; the last one repeats. */
const RETRY_PAUSES_MS = [second, 2 * second, 5 * second, 15 * second, 60 * second] as const

export interface StopParts {
  readonly clock: Clock
  readonly requests: Requests
}

/** Tells a provider to stop, and that nothing will be paid. False when it could not be told. */
export async function tellToStop(
  { clock, requests }: StopParts,
  share: { readonly id: Bytes32; readonly peer: PeerId },
): Promise<boolean> {
  const request = shareRequest.encode({ agreement: share.id })
  const { signal: never } = new AbortController()
  const limit = { ms: STOP_TIMEOUT_MS, code: 'PEER_UNREACHABLE', signal: never } as const
  try {
    await withinTime(clock, limit, async (signal) =>
      requests.call(share.peer, 'cancel', request, { signal }),
    )
    return true
  } catch (error) {
    // A provider that cannot be told stops by itself at the agreement's deadline.
    return codeOf(error) === 'AGREEMENT_UNKNOWN'
  }
}

export interface GivenUpParts extends StopParts {
  readonly channels: ChannelLedger
}

/** Tells providers of shares that were given up while they were away: until they hear it they keep room for them. */
export class GivenUp {
  readonly #parts: GivenUpParts
  readonly #lock = new KeyedLock()

  constructor(parts: GivenUpParts) {
    this.#parts = parts
  }

  /** Resolves when the provider knows of every share that was given up, or the signal aborts. */
  async tell(provider: Address, signal: AbortSignal): Promise<void> {
    const { channels, clock } = this.#parts
    await this.#lock.run(provider, async () => {
      for (let attempt = 0; !signal.aborted; attempt++) {
        for (const { id, peer } of this.#open(provider)) {
          if (signal.aborted) return
          if (!(await tellToStop(this.#parts, { id, peer }))) break
          await channels.told(provider, id)
        }
        if (this.#open(provider).length === 0) return
        const pause = RETRY_PAUSES_MS[Math.min(attempt, RETRY_PAUSES_MS.length - 1)] ?? second
        await clock.sleep(pause, signal).catch(() => undefined) // an abort ends the loop
      }
    })
  }

  #open(provider: Address): readonly { readonly id: Bytes32; readonly peer: PeerId }[] {
    return this.#parts.channels
      .all()
      .filter((each) => each.provider === provider)
      .flatMap(({ peer, givenUp }) => givenUp.map((id) => ({ id, peer })))
  }
}
