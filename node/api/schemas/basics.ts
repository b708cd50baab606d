import { Type, type Static } from 'typebox'
import { MAX_PATH_CHARS } from '../../protocol/limits.ts'

/** Tokens in their smallest unit, as a decimal string: JSON numbers cannot hold them. */
export const AmountText = Type.Unsafe<string>(
  Type.String({ pattern: '^(0|[1-9]\\d{0,28})$', description: 'smallest units of the token' }),
)
/** An account, 20 bytes of lower-case hex. */
export const AddressText = Type.Unsafe<`0x${string}`>(Type.String({ pattern: '^0x[0-9a-f]{40}$' }))
/** An id or hash, 32 bytes of lower-case hex. */
export const Bytes32Text = Type.Unsafe<`0x${string}`>(Type.String({ pattern: '^0x[0-9a-f]{64}$' }))
/** Bytes as lower-case hex. */
export const HexText = Type.Unsafe<`0x${string}`>(
  Type.String({ pattern: '^0x([0-9a-f][0-9a-f])*$' }),
)
/** A content identifier of version 1 in base32. */
export const CidText = Type.String({ pattern: '^b[a-z2-7]{20,127}$' })
/** Unix ms. */
export const TimeMs = Type.Integer({ minimum: 0, description: 'Unix milliseconds' })

/** An absolute path inside a sandbox, and the content found there. */
export const FileBody = Type.Object(
  {
    path: Type.String({ pattern: '^/', maxLength: MAX_PATH_CHARS }),
    cid: CidText,
    size: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
  },
  { additionalProperties: false },
)

const needed = {
  cpuMillis: Type.Integer({ minimum: 1, maximum: 2 ** 32 - 1 }),
  memoryBytes: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
  diskBytes: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
}

/** What a spec asks for each task; GPUs are asked for apart. */
export const TaskResourcesBody = Type.Object(needed, { additionalProperties: false })

/** What one task needs, or what a machine has. */
export const ResourcesBody = Type.Object(
  { ...needed, gpus: Type.Optional(Type.Integer({ minimum: 0 })) },
  { additionalProperties: false },
)

/** Every refusal: a code of docs/errors.md, its two lines of text, and the values at hand. */
export const ErrorBody = Type.Object({
  code: Type.String(),
  what: Type.String(),
  data: Type.Record(Type.String(), Type.Unknown()),
  remedy: Type.String(),
})
export type ErrorBody = Static<typeof ErrorBody>

/** A mined transaction. */
export const TransactionBody = Type.Object({
  hash: Bytes32Text,
  block: Type.Integer(),
  gasUsed: Type.Integer(),
})
export type TransactionBody = Static<typeof TransactionBody>
