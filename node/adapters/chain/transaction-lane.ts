import { NonceManager, type Signer, type TransactionRequest } from 'ethers'
import { HiveError } from '../../domain/errors.ts'
import type { Bytes32 } from '../../domain/ids.ts'
import { second } from '../../domain/units.ts'
import type { Clock } from '../../ports/clock.ts'
import type { TransactionReceipt } from '../../ports/escrow.ts'
import { asChainError } from './chain-error.ts'
import { withSignal } from './rpc-endpoint.ts'

/** Gas limit over the estimate, per cent: state can change between estimate and block. */
const GAS_HEADROOM_PERCENT = 25n
/** Pauses between looks for a receipt, ms; the last one repeats. */
const RECEIPT_PAUSES_MS = [20, 50, 100, 250, 500, second] as const

export interface TransactionLaneOptions {
  /** Blocks that must stand on a transaction before it counts, itself included. */
  readonly confirmations: number
}

/** Sends one account's transactions one after another, each waited for. */
export class TransactionLane {
  readonly #signer: NonceManager
  readonly #clock: Clock
  readonly #options: TransactionLaneOptions
  #tail: Promise<unknown> = Promise.resolve()

  constructor(signer: Signer, clock: Clock, options: TransactionLaneOptions) {
    this.#signer = new NonceManager(signer)
    this.#clock = clock
    this.#options = options
  }

  /** Resolves when mined and confirmed. Throws `CHAIN_REVERTED`, `INSUFFICIENT_GAS`, `CHAIN_UNREACHABLE`. */
  async send(
    action: string,
    request: TransactionRequest,
    signal: AbortSignal,
  ): Promise<TransactionReceipt> {
    const turn = this.#tail.then(async () => this.#sendNow(action, request, signal))
    this.#tail = turn.catch(() => undefined) // the next in line does not inherit this failure
    return turn
  }

  async #sendNow(
    action: string,
    request: TransactionRequest,
    signal: AbortSignal,
  ): Promise<TransactionReceipt> {
    try {
      const estimate = await withSignal(this.#signer.estimateGas(request), signal)
      const gasLimit = (estimate * (100n + GAS_HEADROOM_PERCENT)) / 100n
      const sent = await this.#signer.sendTransaction({ ...request, gasLimit })
      return await this.#confirmed(action, sent.hash as Bytes32, signal)
    } catch (error) {
      // The count is asked again from the chain, which knows what really arrived.
      this.#signer.reset()
      if (signal.aborted) throw error
      throw asChainError(error, action)
    }
  }

  async #confirmed(
    action: string,
    hash: Bytes32,
    signal: AbortSignal,
  ): Promise<TransactionReceipt> {
    const { provider } = this.#signer
    for (let look = 0; provider !== null; look++) {
      const receipt = await withSignal(provider.getTransactionReceipt(hash), signal)
      if (receipt?.status === 0)
        throw new HiveError('CHAIN_REVERTED', { action, transaction: hash })
      if (
        receipt !== null &&
        (await withSignal(receipt.confirmations(), signal)) >= this.#options.confirmations
      ) {
        return { hash, block: receipt.blockNumber, gasUsed: Number(receipt.gasUsed) }
      }
      const pause = RECEIPT_PAUSES_MS[Math.min(look, RECEIPT_PAUSES_MS.length - 1)] ?? second
      await this.#clock.sleep(pause, signal)
    }
    throw new HiveError('CHAIN_UNREACHABLE', { action })
  }
}
