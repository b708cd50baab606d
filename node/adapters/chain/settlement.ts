import { Contract, type JsonRpcProvider, ZeroAddress } from 'ethers'
import type { Address } from '../../domain/ids.ts'
import type { Amount } from '../../domain/money.ts'
import type { CallOptions } from '../../ports/requests.ts'
import { TOKEN_INTERFACE } from './artifact.ts'
import type { ContractReads } from './contract-reads.ts'

/** What an escrow settles in: a token, or the chain's own coin, which its zero address stands for. */
export class Settlement {
  /** `undefined` for the coin. */
  readonly token: Contract | undefined
  readonly #reads: ContractReads
  readonly #rpc: JsonRpcProvider

  constructor(reads: ContractReads, rpc: JsonRpcProvider, token: string) {
    this.token = token === ZeroAddress ? undefined : new Contract(token, TOKEN_INTERFACE, rpc)
    this.#reads = reads
    this.#rpc = rpc
  }

  /** What an account has outside the escrow, to settle in and for gas; of the coin, both are the same. */
  async outside(
    account: Address,
    options: CallOptions,
  ): Promise<{ readonly token: Amount; readonly gas: bigint }> {
    const balance = async () => this.#rpc.getBalance(account)
    const gas = await this.#reads.call('balance', balance, options)
    if (this.token === undefined) return { token: gas, gas }
    const token = await this.#reads.read(this.token, 'balanceOf', [account], options)
    return { token: token as bigint, gas }
  }

  /** How much of an account's tokens the escrow may take. */
  async allowance(owner: Address, escrow: Address, options: CallOptions): Promise<Amount> {
    if (this.token === undefined) return 0n
    return (await this.#reads.read(this.token, 'allowance', [owner, escrow], options)) as bigint
  }
}
