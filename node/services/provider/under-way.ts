import { HiveError } from '../../domain/errors.ts'
import type { ErrorCode } from '../../domain/error-codes.ts'
import type { Bytes32 } from '../../domain/ids.ts'
import { isMetered } from '../../domain/metering.ts'
import { second } from '../../domain/units.ts'
import { deadlineOf, type DeadlineParts } from './deadline.ts'
import type { WorkRecord } from './records.ts'

/**
 * How long a share whose deadline has passed may take to deliver what it has, ms. Source: its requester takes a receipt
 * for 30 s past the deadline (docs/protocol/receipts.md), and has to fetch by then.
 */
const LATE_MS: number = 20 * second

/** A share under way, and the two ways to end it early. */
export interface ShareUnderWay {
  /** Aborts when it is to end with what it has so far. */
  readonly stopped: AbortSignal
  /** Aborts when it is given up with all that it has. */
  readonly signal: AbortSignal
}

interface Entry extends ShareUnderWay {
  readonly isMetered: boolean
  readonly stop: AbortController
  readonly giveUp: AbortController
  /** Resolves when its end is on record. */
  readonly over: Promise<void>
}

/** The shares that this node works on now. */
export class UnderWay {
  readonly #parts: DeadlineParts
  readonly #shares = new Map<Bytes32, Entry>()

  constructor(parts: DeadlineParts) {
    this.#parts = parts
  }

  /** Works on a share until that is over, or past its deadline; `node` aborts when all of them are given up. */
  async during(
    work: WorkRecord,
    node: AbortSignal,
    run: (share: ShareUnderWay) => Promise<void>,
  ): Promise<void> {
    const { id, ask } = work
    const [stop, giveUp, done] = [
      new AbortController(),
      new AbortController(),
      new AbortController(),
    ]
    const over = Promise.withResolvers<void>()
    const signal = AbortSignal.any([node, giveUp.signal])
    const share = { stopped: stop.signal, signal }
    const controls = { stop, giveUp, isMetered: isMetered(ask), over: over.promise }
    this.#shares.set(id, { ...share, ...controls })
    const overdue = this.#endInTime(work, AbortSignal.any([signal, done.signal]))
    try {
      await run(share)
    } finally {
      done.abort()
      await overdue
      this.#shares.delete(id)
      over.resolve()
    }
  }

  /** Has a share end with what it has so far, as its requester asks. */
  stop(id: Bytes32, code: ErrorCode): void {
    this.#shares.get(id)?.stop.abort(new HiveError(code))
  }

  /** As {@link stop} for this node's own reasons: a service would be over by it, and is given up to go on elsewhere. */
  end(id: Bytes32, code: ErrorCode): void {
    const share = this.#shares.get(id)
    if (share?.isMetered === true) share.giveUp.abort(new HiveError(code))
    else this.stop(id, code)
  }

  endAll(code: ErrorCode): void {
    for (const id of this.#shares.keys()) this.end(id, code)
  }

  /** Gives a share up. Resolves with true once that is on record, with false at once for one that is not under way. */
  async giveUp(id: Bytes32, code: ErrorCode): Promise<boolean> {
    const share = this.#shares.get(id)
    share?.giveUp.abort(new HiveError(code))
    await share?.over
    return share !== undefined
  }

  giveUpAll(code: ErrorCode): void {
    for (const { giveUp } of this.#shares.values()) giveUp.abort(new HiveError(code))
  }

  /** Ends a share at its deadline. */
  async #endInTime(work: WorkRecord, signal: AbortSignal): Promise<void> {
    try {
      await deadlineOf(this.#parts, work, signal)
      this.end(work.id, 'JOB_TIMEOUT')
      await this.#parts.clock.sleep(LATE_MS, signal)
      this.#shares.get(work.id)?.giveUp.abort(new HiveError('JOB_TIMEOUT'))
    } catch {
      // the share ended before
    }
  }
}
