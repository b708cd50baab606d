import type { ErrorCode } from '../../domain/error-codes.ts'
import { codeOf } from '../../domain/errors.ts'
import { second } from '../../domain/units.ts'
import type { Escrow } from '../../ports/escrow.ts'
import { ChainEscrow, type ChainEscrowParts, type EscrowAccountOptions } from './escrow-account.ts'
import { EscrowLink, type EscrowLinkOptions } from './escrow-link.ts'
import { servedChain } from './rpc-endpoint.ts'

export interface ChainEscrowOptions
  extends Omit<EscrowLinkOptions, 'chainId'>, EscrowAccountOptions {
  /** Expected chain; left out to take what the endpoint serves. */
  readonly chainId?: number
  /**
   * Opens also while the endpoint is away, where the chain is named: what the endpoint serves is checked as soon as it
   * answers, before anything else is asked of it. @default false
   */
  readonly mayBeAway?: boolean
}

/** How long an endpoint that may be away is waited for, ms: a node has better things to do at its start. */
const AWAY_AFTER_MS: number = 5 * second

/** What an endpoint that is away, or not in its senses, comes to. */
const AWAY: ReadonlySet<ErrorCode> = new Set(['CHAIN_UNREACHABLE', 'CHAIN_ANSWER_INVALID'])

/**
 * The ComputeEscrow at an address. Throws `CHAIN_UNREACHABLE`, `CHAIN_WRONG`, or
 * `CHAIN_NO_CONTRACT` when nothing that speaks like one is there.
 */
export async function openChainEscrow(
  parts: ChainEscrowParts,
  options: ChainEscrowOptions,
  signal: AbortSignal,
): Promise<Escrow & AsyncDisposable> {
  const { chainId = await servedChain(options.rpc, undefined, signal) } = options
  const link = new EscrowLink({ ...options, chainId })
  const mayBeAway = options.mayBeAway === true
  const late = mayBeAway ? AbortSignal.timeout(AWAY_AFTER_MS) : new AbortController().signal
  try {
    await link.ready(AbortSignal.any([signal, late]))
  } catch (error) {
    const isAway = late.aborted || AWAY.has(codeOf(error))
    if (!mayBeAway || !isAway || signal.aborted) {
      link[Symbol.dispose]()
      throw error
    }
  }
  return new ChainEscrow(parts, options, link)
}
