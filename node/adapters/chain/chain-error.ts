import { isCallException, isError } from 'ethers'
import { HiveError } from '../../domain/errors.ts'
import { ESCROW_INTERFACE, TOKEN_INTERFACE } from './artifact.ts'

/** What an RPC endpoint, or the library that talks to it, threw, as one of our codes. */
export function asChainError(error: unknown, action: string): HiveError {
  if (error instanceof HiveError) return error
  const options = { cause: error }
  if (isCallException(error))
    return new HiveError('CHAIN_REVERTED', { action, error: revertName(error) }, options)
  if (isError(error, 'INSUFFICIENT_FUNDS'))
    return new HiveError('INSUFFICIENT_GAS', { action }, options)
  if (isError(error, 'BAD_DATA') || isError(error, 'INVALID_ARGUMENT')) {
    return new HiveError('CHAIN_ANSWER_INVALID', { action }, options)
  }
  const reverted = revertInMessage(error)
  if (reverted !== undefined)
    return new HiveError('CHAIN_REVERTED', { action, error: reverted }, options)
  return new HiveError('CHAIN_UNREACHABLE', { action, reason: reasonOf(error) }, options)
}

function revertName(error: {
  readonly data: string | null
  readonly reason: string | null
}): string {
  if (error.data === null || error.data === '0x') return error.reason ?? 'without a reason'
  for (const known of [ESCROW_INTERFACE, TOKEN_INTERFACE]) {
    const parsed = known.parseError(error.data)
    if (parsed !== null) return parsed.name
  }
  return error.reason ?? error.data.slice(0, 10)
}

/** Some endpoints answer a send that would revert with a plain error whose data holds the revert. */
function revertInMessage(error: unknown): string | undefined {
  const data = findData(error)
  return data === undefined ? undefined : revertName({ data, reason: null })
}

function findData(error: unknown, depth = 0): string | undefined {
  if (typeof error !== 'object' || error === null || depth > 3) return undefined
  const { data, error: inner, info } = error as { data?: unknown; error?: unknown; info?: unknown }
  if (typeof data === 'string' && /^0x[0-9a-f]{8,}$/i.test(data)) return data
  return findData(data, depth + 1) ?? findData(inner, depth + 1) ?? findData(info, depth + 1)
}

function reasonOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, 200)
}
