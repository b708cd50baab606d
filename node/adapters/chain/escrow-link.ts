import { Contract, type JsonRpcProvider } from 'ethers'
import { HiveError } from '../../domain/errors.ts'
import type { Address } from '../../domain/ids.ts'
import { ESCROW_INTERFACE } from './artifact.ts'
import { asChainError } from './chain-error.ts'
import { ContractReads } from './contract-reads.ts'
import { providerOf, servedChain, withSignal } from './rpc-endpoint.ts'
import { Settlement } from './settlement.ts'

export interface EscrowLinkOptions {
  readonly rpc: string
  readonly chainId: number
  readonly address: Address
}

/**
 * The way to the contract at one endpoint. Nothing is asked of the endpoint before it has shown once that it serves the
 * expected chain and that a contract with a settlement token is at the address.
 */
export class EscrowLink implements Disposable {
  readonly chainId: number
  readonly address: Address
  readonly rpc: JsonRpcProvider
  readonly escrow: Contract
  readonly reads: ContractReads
  readonly #url: string
  #checked: Settlement | undefined

  constructor({ rpc, chainId, address }: EscrowLinkOptions) {
    this.#url = rpc
    this.chainId = chainId
    this.address = address
    this.rpc = providerOf(rpc, chainId)
    this.escrow = new Contract(address, ESCROW_INTERFACE, this.rpc)
    this.reads = new ContractReads(this.rpc, address, async (signal) => this.ready(signal))
  }

  /** Throws `CHAIN_UNREACHABLE`, `CHAIN_WRONG` and `CHAIN_NO_CONTRACT`, until the endpoint has passed once. */
  async ready(signal: AbortSignal): Promise<void> {
    await this.settlement(signal)
  }

  /** What the contract settles in. Throws as {@link ready}. */
  async settlement(signal: AbortSignal): Promise<Settlement> {
    return (this.#checked ??= await this.#check(signal))
  }

  [Symbol.dispose](): void {
    this.rpc.destroy()
  }

  async #check(signal: AbortSignal): Promise<Settlement> {
    const { address, chainId } = this
    await servedChain(this.#url, chainId, signal)
    try {
      const asked = this.escrow.getFunction('token')() as Promise<unknown>
      const token = String(await withSignal(asked, signal))
      return new Settlement(this.reads, this.rpc, token)
    } catch (error) {
      const known = asChainError(error, 'token()')
      if (known.code === 'CHAIN_UNREACHABLE' || signal.aborted) throw known
      throw new HiveError('CHAIN_NO_CONTRACT', { address, chainId }, { cause: error })
    }
  }
}
