import type { JsonRpcProvider, TransactionRequest, Wallet } from 'ethers'
import { HiveError } from '../../domain/errors.ts'
import { minute, second } from '../../domain/units.ts'
import type { Clock } from '../../ports/clock.ts'
import type { TransactionReceipt } from '../../ports/escrow.ts'
import { asChainError } from './chain-error.ts'
import { PendingTransaction, type PendingTransactionOptions } from './pending-transaction.ts'
import { withSignal } from './rpc-endpoint.ts'

/** Gas limit over the estimate, per cent: state can change between estimate and block. */
const GAS_HEADROOM_PERCENT = 25n
/** Pause between looks at transactions of an earlier life of the node, ms: a block takes seconds. */
const EARLIER_PAUSE_MS: number = 1 * second
const WEI_PER_GWEI = 1_000_000_000n

export type TransactionLaneOptions = PendingTransactionOptions

/** What a lane does unless told otherwise. */
export const TRANSACTION_LANE_DEFAULTS: TransactionLaneOptions = {
  confirmations: 1,
  /** Five blocks of Ethereum: a transaction that pays the market is mined in one or two. */
  stuckAfterMs: 1 * minute,
  /** Dearer than all but the worst hours of Ethereum, so that it bounds a lying endpoint and little else. */
  maxFeePerGasWei: 1000n * WEI_PER_GWEI,
}

export interface TransactionLaneParts {
  readonly clock: Clock
  readonly rpc: JsonRpcProvider
  readonly wallet: Wallet
}

/** Sends one account's transactions one after another, each waited for. */
export class TransactionLane implements AsyncDisposable {
  readonly #parts: TransactionLaneParts
  readonly #options: TransactionLaneOptions
  readonly #stop = new AbortController()
  #tail: Promise<unknown> = Promise.resolve()

  constructor(parts: TransactionLaneParts, options: Partial<TransactionLaneOptions> = {}) {
    this.#parts = parts
    this.#options = { ...TRANSACTION_LANE_DEFAULTS, ...options }
  }

  /**
   * Resolves when mined and confirmed. Throws `CHAIN_REVERTED`, and `INSUFFICIENT_GAS` or
   * `CHAIN_UNREACHABLE` when nothing was sent; the signal's reason when it aborts, perhaps with a
   * transaction still under way, which the next one then waits for or replaces.
   */
  async send(
    action: string,
    request: TransactionRequest,
    signal: AbortSignal,
  ): Promise<TransactionReceipt> {
    const sent = await this.sendIf(async () => true, action, request, signal)
    if (sent === undefined) throw new HiveError('INTERNAL', { action })
    return sent
  }

  /**
   * As {@link send}; sends nothing and resolves with `undefined` where `holds` denies. It is asked once the transaction
   * has its number: what an earlier life of the node sent is mined by then, or this one takes its place.
   */
  async sendIf(
    holds: () => Promise<boolean>,
    action: string,
    request: TransactionRequest,
    signal: AbortSignal,
  ): Promise<TransactionReceipt | undefined> {
    const either = AbortSignal.any([signal, this.#stop.signal])
    const turn = this.#tail.then(async () => this.#sendNow(holds, action, request, either))
    this.#tail = turn.catch(() => undefined) // the next in line does not inherit this failure
    return turn
  }

  /** Gives up waiting for what is under way. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new HiveError('CANCELLED'))
    await this.#tail
  }

  async #sendNow(
    holds: () => Promise<boolean>,
    action: string,
    request: TransactionRequest,
    signal: AbortSignal,
  ): Promise<TransactionReceipt | undefined> {
    try {
      for (;;) {
        const numbered = await this.#nextNonce(signal)
        if (!(await holds())) return undefined
        // Estimated each time anew: what took the nonce may have done the work already.
        const estimate = await withSignal(this.#parts.wallet.estimateGas(request), signal)
        const gasLimit = (estimate * (100n + GAS_HEADROOM_PERCENT)) / 100n
        const call = { action, request, gasLimit, ...numbered }
        const mined = await new PendingTransaction(this.#parts, this.#options, call).settle(signal)
        if (mined !== undefined) return mined
        await this.#parts.clock.sleep(second, signal) // an endpoint that lags gets time to see it
      }
    } catch (error) {
      if (signal.aborted) throw error
      throw asChainError(error, action)
    }
  }

  /**
   * The first free nonce, once whatever an earlier life of the node, or an aborted call, left under
   * way is mined; when that is stuck, the nonce it holds.
   */
  async #nextNonce(
    signal: AbortSignal,
  ): Promise<{ readonly nonce: number; readonly contested: boolean }> {
    const { clock } = this.#parts
    const stuckAt = clock.now() + this.#options.stuckAfterMs
    for (;;) {
      const [nonce, pending] = await withSignal(this.#counts(), signal)
      if (pending <= nonce) return { nonce, contested: false }
      const left = stuckAt - clock.now()
      if (left <= 0) return { nonce, contested: true }
      await clock.sleep(Math.min(EARLIER_PAUSE_MS, left), signal)
    }
  }

  async #counts(): Promise<[number, number]> {
    const { rpc, wallet } = this.#parts
    return Promise.all([
      rpc.getTransactionCount(wallet.address, 'latest'),
      rpc.getTransactionCount(wallet.address, 'pending'),
    ])
  }
}
