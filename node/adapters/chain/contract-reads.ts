import type { Contract, JsonRpcProvider, Log } from 'ethers'
import type { Address } from '../../domain/ids.ts'
import type { CallOptions } from '../../ports/requests.ts'
import { asChainError } from './chain-error.ts'
import { withSignal } from './rpc-endpoint.ts'

/** Questions to the endpoint that change nothing. Throw `CHAIN_UNREACHABLE`, `CHAIN_ANSWER_INVALID`. */
export class ContractReads {
  /** The escrow, whose logs are read. */
  readonly address: Address
  readonly #rpc: JsonRpcProvider

  constructor(rpc: JsonRpcProvider, address: Address) {
    this.#rpc = rpc
    this.address = address
  }

  /** Events of the escrow from a block on. */
  async logs(
    fromBlock: number,
    topics: (string | null)[],
    options: CallOptions,
  ): Promise<readonly Log[]> {
    const filter = { address: this.address, fromBlock, topics }
    return this.call('events', async () => this.#rpc.getLogs(filter), options)
  }

  /** What a view function of a contract answers. */
  async read(
    contract: Contract,
    name: string,
    values: readonly unknown[],
    options: CallOptions,
  ): Promise<unknown> {
    return this.call(
      name,
      async () => contract.getFunction(name)(...values) as Promise<unknown>,
      options,
    )
  }

  /** Any other question, by a name for its errors. */
  async call<T>(action: string, work: () => Promise<T>, { signal }: CallOptions): Promise<T> {
    signal.throwIfAborted()
    try {
      return await withSignal(work(), signal)
    } catch (error) {
      if (signal.aborted) throw error
      throw asChainError(error, action)
    }
  }
}
