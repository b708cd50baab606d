import { isError } from 'ethers'

/**
 * Why an endpoint did not take a signed transaction. `already-known`: it has it. `nonce-too-low`: some
 * transaction with this nonce is mined. `underpriced`: the pool, or one in it with this nonce, asks for more.
 * `unreachable`: no answer, so that it may or may not have arrived, or an endpoint too busy to take it.
 */
export type SendRefusal =
  'already-known' | 'nonce-too-low' | 'underpriced' | 'insufficient-funds' | 'unreachable' | 'other'

/** JSON-RPC has no codes for these: each client has words of its own. */
const WORDS: readonly (readonly [SendRefusal, RegExp])[] = [
  ['already-known', /already ?known|known transaction|already imported|already in the pool/i],
  ['nonce-too-low', /nonce (is )?too low|old ?nonce|nonce has already been used/i],
  [
    'underpriced',
    /underpriced|could not replace|replacement ?not ?allowed|fee ?too ?low|gas ?price (is )?too low/i,
  ],
  [
    'insufficient-funds',
    /insufficient ?funds|enough funds|upfront cost exceeds|insufficient balance/i,
  ],
  ['unreachable', /limit exceeded|too many requests|rate limit/i],
]

/** Reads what `eth_sendRawTransaction` was refused with. */
export function sendRefusal(error: unknown): SendRefusal {
  const answer = answerOf(error)
  if (answer !== undefined) return WORDS.find(([, words]) => words.test(answer))?.[0] ?? 'other'
  // The library may have read the answer already.
  if (isError(error, 'NONCE_EXPIRED')) return 'nonce-too-low'
  if (isError(error, 'REPLACEMENT_UNDERPRICED')) return 'underpriced'
  if (isError(error, 'INSUFFICIENT_FUNDS')) return 'insufficient-funds'
  return 'unreachable'
}

/** The message of a JSON-RPC error; `undefined` for whatever is not an answer of the endpoint. */
function answerOf(error: unknown): string | undefined {
  const { error: own, info } = fields(error)
  for (const answer of [own, fields(info)['error']]) {
    const { message, data } = fields(answer)
    if (typeof message !== 'string') continue
    const { message: inner } = fields(data)
    return [message, typeof data === 'string' ? data : '', typeof inner === 'string' ? inner : '']
      .join(' ')
      .slice(0, 1000)
  }
  return undefined
}

function fields(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}
