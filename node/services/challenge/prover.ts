import { CHALLENGE_MEMORY_BYTES, MAX_CHALLENGE_LANES } from '../../domain/challenge.ts'
import { codeOf, HiveError } from '../../domain/errors.ts'
import type { PeerId } from '../../domain/ids.ts'
import { hour, second } from '../../domain/units.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Effort, EffortProcess } from '../../ports/effort.ts'
import type { Logger } from '../../ports/logger.ts'
import type { Requests } from '../../ports/requests.ts'
import { chainsOf, isBounded, saltsOf, type SeededRound } from '../../protocol/challenge.ts'
import { MAX_FRAME_BYTES, MAX_SPEED_BYTES } from '../../protocol/limits.ts'
import { proveAnswer, proveRequest, readyRequest, speedRequest } from '../../protocol/requests.ts'
import { malformed } from '../../protocol/schema.ts'
import { TasksInFlight } from '../tasks-in-flight.ts'

export interface ProverParts {
  readonly clock: Clock
  readonly logger: Logger
  readonly requests: Requests
  readonly effort: Effort
  /** Whether no task runs or waits here, and nothing else is measured. */
  readonly isIdle: () => boolean
}

/** Challenges that a node answers in an hour, of everybody together. Source: docs/protocol/challenge.md. */
export const CHALLENGES_PER_HOUR = 6
/** Rounds of one challenge: one core and all cores, both once more where that showed too little, and memory. */
export const CHALLENGE_ROUNDS = 5
/** How long a node stands ready without being asked, ms. */
export const READY_MS: number = 10 * second

/** A challenger, and the process that works for it. */
interface Session {
  readonly from: PeerId
  readonly lanes: number
  readonly effort: EffortProcess
  /** Aborts when it is over. */
  readonly over: AbortController
  rounds: number
  until: number
}

/** Answers challenges: a few an hour, one at a time, while nothing else runs. */
export class Prover implements AsyncDisposable {
  readonly #parts: ProverParts
  readonly #stop = new AbortController()
  readonly #work = new TasksInFlight()
  readonly #begun: number[] = []
  #opening = false
  #session: Session | undefined

  constructor(parts: ProverParts) {
    this.#parts = parts
  }

  /** Whether a challenge is under way. */
  get busy(): boolean {
    return this.#opening || this.#session !== undefined
  }

  start(): void {
    const { requests } = this.#parts
    requests.answer('challenge', async (from, bytes, { signal }) => {
      await this.#open(from, readyRequest.decode(bytes).lanes, signal)
      return new Uint8Array()
    })
    requests.answer('prove', async (from, bytes, { signal }) =>
      this.#prove(from, proveRequest.decode(bytes), signal),
    )
    requests.answerStream('speed', (from, bytes) =>
      this.#send(from, speedRequest.decode(bytes).bytes),
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new HiveError('CANCELLED'))
    await this.#work.settled()
  }

  async #open(from: PeerId, lanes: number, signal: AbortSignal): Promise<void> {
    const { clock, effort, isIdle, logger } = this.#parts
    if (lanes < 1 || lanes > MAX_CHALLENGE_LANES) malformed('lanes', `1 to ${MAX_CHALLENGE_LANES}`)
    if (this.busy) throw new HiveError('CHALLENGE_BUSY', { reason: 'another challenge' })
    if (!isIdle()) throw new HiveError('CHALLENGE_BUSY', { reason: 'tasks or a measurement' })
    this.#countOne(clock.now())
    this.#opening = true
    try {
      const either = AbortSignal.any([signal, this.#stop.signal])
      const session: Session = {
        from,
        lanes,
        effort: await effort.open(lanes, { signal: either }),
        over: new AbortController(),
        rounds: 0,
        until: clock.now() + READY_MS,
      }
      this.#session = session
      this.#work.start(
        async () => this.#keep(session),
        (error) => logger.warn('a challenge was not cleared away', { code: codeOf(error) }),
      )
      logger.info('standing ready for a challenge', { from, lanes })
    } finally {
      this.#opening = false
    }
  }

  #countOne(now: number): void {
    while (this.#begun[0] !== undefined && this.#begun[0] <= now - hour) this.#begun.shift()
    if (this.#begun.length >= CHALLENGES_PER_HOUR)
      throw new HiveError('CHALLENGE_BUSY', { reason: 'as many as it answers in an hour' })
    this.#begun.push(now)
  }

  /** Ends the session when its time is over. */
  async #keep(session: Session): Promise<void> {
    const { clock } = this.#parts
    const over = AbortSignal.any([session.over.signal, this.#stop.signal])
    while (!over.aborted && clock.now() < session.until)
      await clock.sleep(session.until - clock.now(), over).catch(() => undefined) // over is over
    session.over.abort()
    await session.effort[Symbol.asyncDispose]()
    this.#session = undefined
  }

  /** The caller's session, kept for as long again. */
  #sessionOf(from: PeerId): Session {
    const session = this.#session
    if (session?.from !== from || session.over.signal.aborted)
      throw new HiveError('CHALLENGE_BUSY', { reason: 'not standing ready for this peer' })
    session.until = this.#parts.clock.now() + READY_MS
    return session
  }

  async #prove(from: PeerId, round: SeededRound, signal: AbortSignal): Promise<Uint8Array> {
    const session = this.#sessionOf(from)
    if (!isBounded(round) || round.lanes > session.lanes) malformed('round', 'a bounded one')
    if (++session.rounds > CHALLENGE_ROUNDS)
      throw new HiveError('CHALLENGE_BUSY', { reason: 'no round is left' })
    if (!this.#parts.isIdle()) {
      session.over.abort()
      throw new HiveError('CHALLENGE_BUSY', { reason: 'a task came' })
    }
    const options = { signal: AbortSignal.any([signal, session.over.signal, this.#stop.signal]) }
    try {
      const states = round.lanes > 0 ? await session.effort.chains(chainsOf(round), options) : []
      const tags =
        round.blocks > 0
          ? await session.effort.fills(saltsOf(round), CHALLENGE_MEMORY_BYTES, options)
          : []
      return proveAnswer.encode({ states: joined(states), tags: joined(tags) })
    } catch (error) {
      // What a process left half done cannot be gone on with.
      session.over.abort()
      throw error
    }
  }

  async *#send(from: PeerId, bytes: number): AsyncGenerator<Uint8Array> {
    if (bytes > MAX_SPEED_BYTES) malformed('bytes', `at most ${MAX_SPEED_BYTES}`)
    const session = this.#sessionOf(from)
    // The last of a challenge: the machine is free for others while the bytes are on their way.
    session.over.abort()
    const frame = randomFrame()
    for (let left = bytes; left > 0; left -= frame.byteLength)
      yield frame.subarray(0, Math.min(left, frame.byteLength))
  }
}

/** Random once, so that nothing on the way can make it shorter. */
function randomFrame(): Uint8Array {
  const frame = new Uint8Array(MAX_FRAME_BYTES)
  const most = 65_536 // of one call, as the platform has it
  for (let at = 0; at < frame.byteLength; at += most)
    globalThis.crypto.getRandomValues(frame.subarray(at, at + most))
  return frame
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.byteLength
  }
  return all
}
