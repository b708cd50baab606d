import { codeOf, HiveError } from '../../domain/errors.ts'
import type { ErrorCode } from '../../domain/error-codes.ts'
import { stepIfAllowed, type JobEvent, type JobState } from '../../domain/job-state.ts'
import { SILENCE_GRACE_MS } from '../../domain/metering.ts'
import { second } from '../../domain/units.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Logger } from '../../ports/logger.ts'
import type { Requests } from '../../ports/requests.ts'
import { followRequest } from '../../protocol/requests.ts'
import { decodeShareEvent, isLastEvent, type ShareEvent } from '../../protocol/share-events.ts'
import type { Signing } from '../signing.ts'
import { hearPulse } from './beat-hearing.ts'
import { Heard } from './heard.ts'
import type { JobBook } from './job-book.ts'
import type { LiveTasks } from './live-tasks.ts'
import type { Metering } from './metering.ts'
import type { ShareRecord } from './records.ts'
import { longestSilence, whileHeard } from './while-heard.ts'

/** The provider's closing word, still to be verified. */
export type LastEvent = Extract<ShareEvent, { type: 'receipt' | 'failed' }>

export interface FollowingParts {
  readonly clock: Clock
  readonly logger: Logger
  readonly requests: Requests
  readonly signing: Signing
  readonly book: JobBook
  readonly live: LiveTasks
  readonly metering: Pick<Metering, 'hear' | 'reached'>
}

export interface FollowingOptions {
  /** How long a provider may be silent before its share goes elsewhere, ms; less where it is paid by the second. */
  readonly lostAfterMs: number
}

/**
 * Failures of the line, or of a provider that is starting again and does not answer to this yet: the stream is opened
 * again where it broke.
 */
const RETRYABLE: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'STREAM_CUT',
  'PEER_UNREACHABLE',
  'PEER_QUOTA',
  'PEER_PROTOCOL',
])
const RETRY_MS: number = second / 4
/** Time past a share's deadline in which a late receipt is still taken, ms. */
const LATE_MS: number = 30 * second

/** What a provider's state means for the requester's view of the share. */
const STATE_EVENTS: Readonly<Partial<Record<JobState, JobEvent>>> = {
  fetching: 'fetch',
  running: 'run',
  publishing: 'publish-results',
}

/** Listens to a provider working on a share, across lost connections. */
export class Following {
  readonly #parts: FollowingParts
  readonly #options: FollowingOptions

  constructor(parts: FollowingParts, options: FollowingOptions) {
    this.#parts = parts
    this.#options = options
  }

  /**
   * Resolves with the last event. Throws `PROVIDER_LOST`, `PROVIDER_FAILED`, or the protocol fault. `onCaughtUp` is
   * called whenever everything was heard that the provider had to tell.
   */
  async toTheEnd(
    share: ShareRecord,
    signal: AbortSignal,
    onCaughtUp: () => void = () => {},
  ): Promise<LastEvent> {
    const { clock } = this.#parts
    const heard = new Heard(clock.now())
    this.#parts.live.forget(share)
    const { meter } = share
    const { lostAfterMs } = this.#options
    const maxSilenceMs = meter === undefined ? Infinity : longestSilence(meter)
    const listen = async (limited: AbortSignal) => this.#listen(share, heard, limited, onCaughtUp)
    while (clock.now() - heard.at < Math.min(lostAfterMs, maxSilenceMs)) {
      try {
        const last = await (meter === undefined
          ? listen(signal)
          : whileHeard(clock, { heard, maxSilenceMs, signal }, listen))
        if (last !== undefined) return last
      } catch (error) {
        if (signal.aborted || !RETRYABLE.has(codeOf(error))) throw error
      }
      await clock.sleep(RETRY_MS, signal)
    }
    throw new HiveError('PROVIDER_LOST', {
      provider: share.provider,
      silentMs: clock.now() - heard.at,
    })
  }

  async #listen(
    share: ShareRecord,
    heard: Heard,
    signal: AbortSignal,
    onCaughtUp: () => void,
  ): Promise<LastEvent | undefined> {
    const { requests, clock, book, signing } = this.#parts
    const request = followRequest.encode({
      agreement: share.id,
      from: heard.next,
      life: heard.life,
    })
    let isReached = false
    for await (const frame of requests.stream(share.peer, 'follow', request, { signal })) {
      heard.at = clock.now()
      if (isPast(share, heard.at) && isPast((await book.share(share.id)) ?? share, heard.at))
        throw new HiveError('PROVIDER_FAILED', { reason: 'past its deadline' })
      this.#requirePulse(share, heard)
      if (!isReached) this.#parts.metering.reached(share)
      isReached = true
      const event = decodeShareEvent(frame)
      if (event.type === 'beat') {
        if (share.meter === undefined) hearPulse(signing, event.heartbeat, share, heard.digest)
        onCaughtUp()
        continue
      }
      if (event.type === 'restarted') {
        heard.restarted(event.life)
        continue
      }
      heard.next++
      if (isLastEvent(event)) return event as LastEvent
      await this.#take(share, event, heard)
    }
    return undefined
  }

  /** A provider whose line is alive and whose metered share gives no sign of it is lost too. */
  #requirePulse({ meter, provider }: ShareRecord, { at, pulseAt = at }: Heard): void {
    if (meter === undefined) return
    const silentMs = at - pulseAt
    const graceMs = Math.min(this.#options.lostAfterMs, SILENCE_GRACE_MS)
    if (silentMs > meter.payEveryMs + graceMs)
      throw new HiveError('PROVIDER_LOST', { provider, silentMs })
  }

  async #take(share: ShareRecord, event: ShareEvent, heard: Heard): Promise<void> {
    const { book, live, logger } = this.#parts
    switch (event.type) {
      case 'state': {
        const change = STATE_EVENTS[event.state]
        if (event.state === 'publishing') heard.pulseAt = undefined
        const current = await book.share(share.id)
        if (change === undefined || current === undefined) return
        if (stepIfAllowed(current, change) === current) return
        await book.changeShare(share.id, (now) => stepIfAllowed(now, change))
        if (change === 'run') await book.change(share.job, (job) => stepIfAllowed(job, 'run'))
        return
      }
      case 'started':
        heard.began(event.index, event.resumed === true)
        heard.pulseAt = heard.at
        await this.#noteBegun(share, event.index)
        return live.began(share, event.index, event.resumed === true)
      case 'done':
        return live.ended(share, event.result)
      case 'progress':
        return live.reached(share, event.index, event.percent)
      case 'log': {
        const { index, stream } = event
        const bytes = heard.unheard(index, stream, event.bytes)
        return stream === 1 || stream === 2 ? live.printed(share, index, stream, bytes) : undefined
      }
      case 'heartbeat':
        heard.pulseAt = heard.at
        return this.#parts.metering.hear(share.id, event.heartbeat, heard.digest)
      case 'beat':
      case 'restarted':
      case 'receipt':
      case 'failed':
        return logger.debug('event out of place', { type: event.type })
    }
  }

  /** Its requester must know it after a restart, before it has heard anything. */
  async #noteBegun({ id, tasks }: ShareRecord, index: number): Promise<void> {
    const { book } = this.#parts
    const isNew = tasks.includes(index) && (await book.share(id))?.begun === undefined
    if (isNew) await book.changeShare(id, (now) => ({ ...now, begun: true }))
  }
}

/** Whether it is too late for a receipt. The deadline of a service can be moved while it runs. */
function isPast({ finishBy }: ShareRecord, now: number): boolean {
  return now > finishBy * second + LATE_MS
}
