import { HiveError } from '../domain/errors.ts'
import type { Address, Bytes32 } from '../domain/ids.ts'
import { MAX_SECRETS, type SecretSlot, type SecretValues } from '../domain/secret-slot.ts'
import { decodeCbor, encodeCbor } from './cbor.ts'
import { MAX_SEALED_SECRETS_BYTES, MAX_SECRETS_BYTES } from './limits.ts'
import { address, bytes32, list, malformed, recordToWire, text, type Shape } from './schema.ts'
import { bytesUpTo, record } from './shapes.ts'

interface NamedValue {
  readonly name: string
  readonly value: Uint8Array
}

const namedValue: Shape<NamedValue> = record<NamedValue>({
  name: text(128),
  value: bytesUpTo(MAX_SECRETS_BYTES),
})
const values = list(namedValue, MAX_SECRETS)

/** What a box of secrets is bound to. */
export interface SecretsBinding {
  readonly network: string
  readonly agreement: Bytes32
  readonly requester: Address
  readonly provider: Address
}

/** The context of the box that a provider gets. Source: docs/protocol/secrets.md. */
export function secretsContext(binding: SecretsBinding): Uint8Array {
  const fields = { network: text(64), agreement: bytes32, requester: address, provider: address }
  return encodeCbor({ t: 'Secrets', m: recordToWire<SecretsBinding>(fields, binding) })
}

/** The context of the box in which a requester keeps a job's secrets on its own disk. */
export function keptSecretsContext(job: Bytes32): Uint8Array {
  return encodeCbor({ t: 'KeptSecrets', m: bytes32.toWire(job) })
}

/** What goes into a box. Throws `MESSAGE_TOO_LARGE`. */
export function encodeSecrets(secrets: SecretValues): Uint8Array {
  const bytes = sizeOf(secrets)
  if (bytes > MAX_SECRETS_BYTES)
    throw new HiveError('MESSAGE_TOO_LARGE', { bytes, maxBytes: MAX_SECRETS_BYTES })
  return encodeCbor(values.toWire([...secrets].map(([name, value]) => ({ name, value }))))
}

/** What came out of one. Throws as {@link decodeCbor} does. */
export function decodeSecrets(bytes: Uint8Array): SecretValues {
  const decoded = values.fromWire(decodeCbor(bytes, MAX_SEALED_SECRETS_BYTES), 'secrets')
  const secrets = new Map(decoded.map(({ name, value }) => [name, value.slice()]))
  if (secrets.size < decoded.length || sizeOf(secrets) > MAX_SECRETS_BYTES)
    return malformed('secrets', `one value a name, at most ${MAX_SECRETS_BYTES} bytes together`)
  return secrets
}

/** What is wrong with values for these slots, one line each; the lines name secrets and hold no value. */
export function secretProblems(slots: readonly SecretSlot[], secrets: SecretValues): string[] {
  const names = new Set(slots.map(({ name }) => name))
  const strays = [...secrets.keys()].filter((name) => !names.has(name))
  const total = sizeOf(secrets)
  return [
    ...slots.flatMap(({ name, env }) => {
      const value = secrets.get(name)
      if (value === undefined) return [`${name}: has no value`]
      if (env === undefined || isVariableText(value)) return []
      return [`${name}: a variable holds text, without a zero byte`]
    }),
    ...strays.map((name) => `${name.slice(0, 60)}: the spec has no such secret`),
    ...(total > MAX_SECRETS_BYTES
      ? [`${total} bytes together, more than ${MAX_SECRETS_BYTES}`]
      : []),
  ]
}

function isVariableText(value: Uint8Array): boolean {
  try {
    return !new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(value).includes('\0')
  } catch {
    // not UTF-8: that is the answer
    return false
  }
}

function sizeOf(secrets: SecretValues): number {
  return [...secrets.values()].reduce((sum, value) => sum + value.byteLength, 0)
}
