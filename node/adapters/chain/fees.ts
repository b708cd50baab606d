import type { JsonRpcProvider } from 'ethers'
import { HiveError } from '../../domain/errors.ts'
import { withSignal } from './rpc-endpoint.ts'

/** What a transaction pays for gas, wei: with a tip of its own, or at one price on chains that know no other. */
export type Fees =
  | { readonly maxFeePerGas: bigint; readonly maxPriorityFeePerGas: bigint }
  | { readonly gasPrice: bigint }

/** Least rise, per mille, at which every client takes a replacement: the strictest asks for an eighth, others a tenth. */
export const LEAST_RAISE_PERMILLE = 125n

/** What the endpoint suggests now, at most `cap` wei. Throws `CHAIN_ANSWER_INVALID` when it suggests nothing. */
export async function marketFees(
  rpc: JsonRpcProvider,
  cap: bigint,
  signal: AbortSignal,
): Promise<Fees> {
  const { maxFeePerGas, maxPriorityFeePerGas, gasPrice } = await withSignal(
    rpc.getFeeData(),
    signal,
  )
  if (maxFeePerGas !== null && maxPriorityFeePerGas !== null) {
    return {
      maxFeePerGas: least(maxFeePerGas, cap),
      maxPriorityFeePerGas: least(maxPriorityFeePerGas, cap),
    }
  }
  if (gasPrice !== null) return { gasPrice: least(gasPrice, cap) }
  throw new HiveError('CHAIN_ANSWER_INVALID', { action: 'eth_gasPrice' })
}

/**
 * Fees that replace a transaction that pays `fees`: every part is up by `permille` at least, and up
 * to the market. `undefined` when `cap` leaves no room for the least rise.
 */
export function raisedFees(
  fees: Fees,
  market: Fees,
  permille: bigint,
  cap: bigint,
): Fees | undefined {
  const raise = (fee: bigint, asked: bigint) => least(most(up(fee, permille), asked), cap)
  const enough = (before: bigint, after: bigint) => after >= up(before, LEAST_RAISE_PERMILLE)
  if ('gasPrice' in fees) {
    const asked = 'gasPrice' in market ? market.gasPrice : market.maxFeePerGas
    const gasPrice = raise(fees.gasPrice, asked)
    return enough(fees.gasPrice, gasPrice) ? { gasPrice } : undefined
  }
  const asked =
    'gasPrice' in market
      ? { maxFeePerGas: market.gasPrice, maxPriorityFeePerGas: market.gasPrice }
      : market
  const maxFeePerGas = raise(fees.maxFeePerGas, asked.maxFeePerGas)
  const tip = raise(fees.maxPriorityFeePerGas, asked.maxPriorityFeePerGas)
  const maxPriorityFeePerGas = least(tip, maxFeePerGas)
  const fits =
    enough(fees.maxFeePerGas, maxFeePerGas) &&
    enough(fees.maxPriorityFeePerGas, maxPriorityFeePerGas)
  return fits ? { maxFeePerGas, maxPriorityFeePerGas } : undefined
}

/** Rounded up, and by one wei at least: clients compare exactly. */
function up(fee: bigint, permille: bigint): bigint {
  return fee + most((fee * permille + 999n) / 1000n, 1n)
}

function least(a: bigint, b: bigint): bigint {
  return a < b ? a : b
}

function most(a: bigint, b: bigint): bigint {
  return a > b ? a : b
}
