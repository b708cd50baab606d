import type { ErrorCode } from '../../domain/error-codes.ts'
import { codeOf, HiveError } from '../../domain/errors.ts'
import type { SecretSlot, SecretValues } from '../../domain/secret-slot.ts'
import { second } from '../../domain/units.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Requests } from '../../ports/requests.ts'
import type { TaskSecrets } from '../../ports/sandbox.ts'
import type { Sealer } from '../../ports/sealer.ts'
import { fromHex } from '../../protocol/bytes.ts'
import { SECRETS_WAIT_MS } from '../../protocol/limits.ts'
import { decodeSecrets, secretProblems, secretsContext } from '../../protocol/secrets.ts'
import type { Signing } from '../signing.ts'
import type { WorkRecord } from './records.ts'

export interface SecretIntakeParts {
  readonly clock: Clock
  readonly requests: Requests
  readonly signing: Signing
  readonly sealer: Sealer
}

export interface SecretIntakeOptions {
  readonly network: string
  /** How long to ask. @default SECRETS_WAIT_MS */
  readonly secretsWaitMs?: number
}

/** Secrets in memory, for as long as the tasks of a share need them. Disposal overwrites what can be. */
export interface HeldSecrets extends Disposable {
  /** For each task; `undefined` when the spec asks for none. */
  readonly task: TaskSecrets | undefined
  /** A text of ours without any of them. */
  readonly redacted: (text: string) => string
}

/** Failures of the line, or of a requester that is just starting: it is asked again. */
const RETRYABLE: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'PEER_UNREACHABLE',
  'PEER_PROTOCOL',
  'PEER_QUOTA',
  'STREAM_CUT',
])
const RETRY_MS: number = second / 2
/** Shorter values are left in texts: they stand everywhere by chance. */
const MIN_REDACTED_BYTES = 4
const REDACTED = '[secret]'

const NONE: HeldSecrets = {
  task: undefined,
  redacted: (text) => text,
  [Symbol.dispose]: () => undefined,
}

/** Asks requesters for the secrets of awarded shares; nothing of them is ever written down. */
export class SecretIntake {
  readonly #parts: SecretIntakeParts
  readonly #options: Required<SecretIntakeOptions>

  constructor(parts: SecretIntakeParts, options: SecretIntakeOptions) {
    this.#parts = parts
    this.#options = { secretsWaitMs: SECRETS_WAIT_MS, ...options }
  }

  /** The secrets for these slots. Throws `SECRETS_UNAVAILABLE` when they do not come in time, or are others. */
  async of(
    work: WorkRecord,
    slots: readonly SecretSlot[] | undefined,
    signal: AbortSignal,
  ): Promise<HeldSecrets> {
    if (slots === undefined || slots.length === 0) return NONE
    const plain = this.#open(work, await this.#ask(work, signal))
    try {
      const values = decodeSecrets(plain)
      const problems = secretProblems(slots, values)
      if (problems.length > 0) throw unavailable(work, problems.join('; '))
      return held(slots, values)
    } finally {
      plain.fill(0)
    }
  }

  async #ask(work: WorkRecord, signal: AbortSignal): Promise<Uint8Array> {
    const { clock, requests } = this.#parts
    const deadline = work.finishBy * second
    // a share that a restart interrupted waits for its requester anyway, with tasks that may be running on
    const patience = work.restarts === undefined ? this.#options.secretsWaitMs : Infinity
    const until = Math.min(clock.now() + patience, deadline)
    for (;;) {
      try {
        return await requests.call(work.peer, 'secrets', fromHex(work.agreement), { signal })
      } catch (error) {
        signal.throwIfAborted()
        const code = codeOf(error)
        if (!RETRYABLE.has(code) || clock.now() + RETRY_MS > until)
          throw unavailable(work, code, error)
      }
      await clock.sleep(RETRY_MS, signal)
    }
  }

  #open(work: WorkRecord, box: Uint8Array): Uint8Array {
    const { signing, sealer } = this.#parts
    const binding = {
      network: this.#options.network,
      agreement: work.id,
      requester: work.requester,
      provider: signing.address,
    }
    try {
      return sealer.openFrom(work.peer, secretsContext(binding), box)
    } catch (error) {
      throw unavailable(work, codeOf(error), error)
    }
  }
}

function held(slots: readonly SecretSlot[], values: SecretValues): HeldSecrets {
  const bytesOf = ({ name }: SecretSlot) => values.get(name) ?? new Uint8Array()
  const textOf = (slot: SecretSlot) =>
    new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytesOf(slot))
  const shown = slots.filter((slot) => bytesOf(slot).byteLength >= MIN_REDACTED_BYTES).map(textOf)
  const env = slots.flatMap((slot) =>
    slot.env === undefined ? [] : [[slot.env, textOf(slot)] as const],
  )
  const files = slots.flatMap((slot) =>
    slot.path === undefined ? [] : [{ path: slot.path, bytes: bytesOf(slot) }],
  )
  return {
    task: { env: Object.fromEntries(env), files },
    redacted: (text) => shown.reduce((left, value) => left.replaceAll(value, REDACTED), text),
    [Symbol.dispose]: () => {
      for (const value of values.values()) value.fill(0)
    },
  }
}

function unavailable(work: WorkRecord, reason: string, cause?: unknown): HiveError {
  return new HiveError('SECRETS_UNAVAILABLE', { agreement: work.id, reason }, { cause })
}
