import {
  keccak256,
  type JsonRpcProvider,
  type TransactionReceipt as Mined,
  type TransactionRequest,
  type Wallet,
} from 'ethers'
import { HiveError } from '../../domain/errors.ts'
import type { Bytes32 } from '../../domain/ids.ts'
import { second } from '../../domain/units.ts'
import type { Clock } from '../../ports/clock.ts'
import type { TransactionReceipt } from '../../ports/escrow.ts'
import { asChainError } from './chain-error.ts'
import { LEAST_RAISE_PERMILLE, marketFees, raisedFees, type Fees } from './fees.ts'
import { withSignal } from './rpc-endpoint.ts'
import { sendRefusal, type SendRefusal } from './send-refusal.ts'

export interface PendingTransactionParts {
  readonly clock: Clock
  readonly rpc: JsonRpcProvider
  readonly wallet: Wallet
}

export interface PendingTransactionOptions {
  /** Blocks that must stand on a transaction before it counts, itself included. */
  readonly confirmations: number
  /** A transaction not mined for this long is replaced by one that pays more, ms. */
  readonly stuckAfterMs: number
  /** Most that is ever paid for gas, tip included, wei a unit. */
  readonly maxFeePerGasWei: bigint
}

/** A call with everything but its fees. */
export interface NumberedCall {
  readonly action: string
  readonly request: TransactionRequest
  readonly nonce: number
  readonly gasLimit: bigint
  /** Another transaction holds the nonce and is to be replaced, at whatever it takes. */
  readonly contested: boolean
}

/** Pauses between looks for a receipt, ms; the last one repeats. */
const PAUSES_MS = [20, 50, 100, 250, 500, second] as const
/** Looks in a row that must find the nonce used and no receipt of ours: endpoints behind one name differ for a moment. */
const LOOKS_UNTIL_LOST = 5

/** One call at one nonce: all its transactions, of which at most one can be mined. */
export class PendingTransaction {
  readonly #parts: PendingTransactionParts
  readonly #options: PendingTransactionOptions
  readonly #call: NumberedCall
  /** Of every transaction that may have reached a pool. */
  readonly #hashes = new Set<Bytes32>()
  /** The newest of them. */
  #newest: { readonly raw: string; readonly fees: Fees } | undefined
  /** What the next replacement adds; doubles while a rival with unknown fees holds the nonce. */
  #raisePermille: bigint = LEAST_RAISE_PERMILLE
  /** Whether an endpoint has answered that it has the newest. */
  #arrived = false
  /** When the newest was sent, Unix ms. */
  #since = 0

  constructor(
    parts: PendingTransactionParts,
    options: PendingTransactionOptions,
    call: NumberedCall,
  ) {
    this.#parts = parts
    this.#options = options
    this.#call = call
  }

  /**
   * Resolves when one of its transactions is mined and confirmed, or with `undefined` when another
   * transaction used the nonce. Once sent, an endpoint that is away is waited for until the signal
   * aborts. Throws `CHAIN_REVERTED`, and before anything is sent what {@link asChainError} tells.
   */
  async settle(signal: AbortSignal): Promise<TransactionReceipt | undefined> {
    const { rpc, clock } = this.#parts
    const fees = await marketFees(rpc, this.#options.maxFeePerGasWei, signal)
    const refusal = await this.#send(fees, signal)
    if (refusal?.why === 'nonce-too-low') return undefined
    if (refusal?.why === 'insufficient-funds')
      throw new HiveError(
        'INSUFFICIENT_GAS',
        { action: this.#call.action },
        { cause: refusal.error },
      )
    if (refusal?.why === 'other') throw asChainError(refusal.error, this.#call.action)
    for (let look = 0, lost = 0; lost < LOOKS_UNTIL_LOST; look++) {
      try {
        const seen = await this.#look(signal)
        if (typeof seen === 'object') return seen
        lost = seen === 'used' ? lost + 1 : 0
        if (seen === 'pending') await this.#push(signal)
        if (seen === 'cut-off' && this.#isStuck()) return undefined
      } catch (error) {
        if (signal.aborted || error instanceof HiveError) throw error
        // The endpoint is away, and what was sent is sent: it can still tell of it later.
      }
      await clock.sleep(PAUSES_MS[Math.min(look, PAUSES_MS.length - 1)] ?? second, signal)
    }
    return undefined
  }

  /** `mined` is too young to count; at `cut-off` an earlier nonce is free again, as after a reorganisation. */
  async #look(
    signal: AbortSignal,
  ): Promise<TransactionReceipt | 'mined' | 'pending' | 'used' | 'cut-off'> {
    const { rpc, wallet } = this.#parts
    const looks = [...this.#hashes].map(async (hash) => rpc.getTransactionReceipt(hash))
    const mined = (await withSignal(Promise.all(looks), signal)).find((each) => each !== null)
    if (mined !== undefined && mined !== null) return this.#minedReceipt(mined, signal)
    const next = await withSignal(rpc.getTransactionCount(wallet.address, 'latest'), signal)
    if (next === this.#call.nonce) return 'pending'
    return next > this.#call.nonce ? 'used' : 'cut-off'
  }

  async #minedReceipt(mined: Mined, signal: AbortSignal): Promise<TransactionReceipt | 'mined'> {
    const { hash, blockNumber: block, gasUsed, status } = mined
    if (status === 0)
      throw new HiveError('CHAIN_REVERTED', { action: this.#call.action, transaction: hash })
    const { confirmations } = this.#options
    if (confirmations > 1) {
      const head = await withSignal(this.#parts.rpc.getBlockNumber(), signal)
      if (head - block + 1 < confirmations) return 'mined'
    }
    return { hash: hash as Bytes32, block, gasUsed: Number(gasUsed) }
  }

  /** Sends again what may not have arrived, and something dearer in place of what is stuck. */
  async #push(signal: AbortSignal): Promise<void> {
    if (this.#newest === undefined) return
    const { raw, fees } = this.#newest
    if (!this.#isStuck()) {
      if (!this.#arrived) await this.#broadcast(raw, signal)
      return
    }
    const cap = this.#options.maxFeePerGasWei
    const market = await marketFees(this.#parts.rpc, cap, signal)
    const raised = raisedFees(fees, market, this.#raisePermille, cap)
    if (raised !== undefined) {
      const refusal = await this.#send(raised, signal)
      // The next look raises again, by more: what a rival pays is not known.
      if (refusal?.why === 'underpriced') this.#raisePermille *= 2n
      if (refusal?.why === 'underpriced') return
    } else {
      // Nothing dearer is allowed; a pool that dropped the newest gets it again.
      await this.#broadcast(raw, signal)
    }
    this.#since = this.#parts.clock.now()
  }

  async #send(fees: Fees, signal: AbortSignal): Promise<Refusal | undefined> {
    const { rpc, wallet, clock } = this.#parts
    const { request, nonce, gasLimit } = this.#call
    const { chainId } = await rpc.getNetwork()
    const type = 'gasPrice' in fees ? 0 : 2
    const whole = { ...request, nonce, gasLimit, chainId, type, ...fees }
    const raw = await wallet.signTransaction(whole)
    const refusal = await this.#broadcast(raw, signal)
    if (refusal?.why === 'insufficient-funds' || refusal?.why === 'other') return refusal
    if (this.#newest === undefined) {
      const now = clock.now()
      const outbidNow = refusal?.why === 'underpriced' && this.#call.contested
      this.#since = outbidNow ? now - this.#options.stuckAfterMs : now
    }
    this.#newest = { raw, fees }
    return refusal
  }

  async #broadcast(raw: string, signal: AbortSignal): Promise<Refusal | undefined> {
    const hash = keccak256(raw) as Bytes32
    try {
      await withSignal(this.#parts.rpc.send('eth_sendRawTransaction', [raw]), signal)
    } catch (error) {
      if (signal.aborted) throw error
      const why = sendRefusal(error)
      this.#arrived = why !== 'unreachable'
      if (why === 'unreachable' || why === 'already-known') this.#hashes.add(hash)
      return why === 'already-known' ? undefined : { why, error }
    }
    this.#arrived = true
    this.#hashes.add(hash)
    return undefined
  }

  #isStuck(): boolean {
    return this.#parts.clock.now() - this.#since >= this.#options.stuckAfterMs
  }
}

interface Refusal {
  readonly why: SendRefusal
  readonly error: unknown
}
