import { isError, type Contract, type JsonRpcProvider, type Log } from 'ethers'
import { HiveError } from '../../domain/errors.ts'
import type { Address } from '../../domain/ids.ts'
import type { CallOptions } from '../../ports/requests.ts'
import { ESCROW_INTERFACE } from './artifact.ts'
import { asChainError } from './chain-error.ts'
import { withSignal } from './rpc-endpoint.ts'

/** An endpoint that refuses fewer blocks than this is broken rather than careful. */
const SMALLEST_LOG_RANGE = 100

/** What an event's topics must be, place by place: one of these, or anything. */
export type Topics = (string | string[] | null)[]

/** First topic of the escrow's events of a name. */
export function topicOf(event: string): string {
  const topic = ESCROW_INTERFACE.getEvent(event)?.topicHash
  if (topic === undefined) throw new HiveError('INTERNAL', { event })
  return topic
}

/** Questions to the endpoint that change nothing. Throw `CHAIN_UNREACHABLE`, `CHAIN_ANSWER_INVALID`. */
export class ContractReads {
  /** The escrow, whose logs are read. */
  readonly address: Address
  readonly #rpc: JsonRpcProvider
  readonly #ready: (signal: AbortSignal) => Promise<void>

  /** `ready` refuses while it is not known that the endpoint serves what it should. */
  constructor(
    rpc: JsonRpcProvider,
    address: Address,
    ready: (signal: AbortSignal) => Promise<void> = async () => {},
  ) {
    this.#rpc = rpc
    this.address = address
    this.#ready = ready
  }

  /** Number of the newest block that the endpoint knows. */
  async newestBlock(options: CallOptions): Promise<number> {
    return this.call('newest block', async () => this.#rpc.getBlockNumber(), options)
  }

  /** Time of the newest block that the endpoint knows, unix seconds. */
  async newestTime(options: CallOptions): Promise<number> {
    const block = await this.call('newest block', async () => this.#rpc.getBlock('latest'), options)
    if (block === null) throw new HiveError('CHAIN_ANSWER_INVALID', { action: 'newest block' })
    return block.timestamp
  }

  /** Events of the escrow in these blocks; none of another contract, and none that was not asked for. */
  async logs(
    fromBlock: number,
    topics: Topics,
    options: CallOptions,
    toBlock: number = Infinity,
  ): Promise<readonly Log[]> {
    return this.call(
      'events',
      async () => {
        const latest = Math.min(toBlock, await this.#rpc.getBlockNumber())
        if (fromBlock > latest) return []
        const logs = await this.#logsBetween(fromBlock, latest, topics, options)
        const asked = (log: Log) =>
          log.address.toLowerCase() === this.address &&
          !log.removed &&
          log.blockNumber >= fromBlock &&
          log.blockNumber <= latest &&
          topics.every(
            (topic, at) => topic === null || [topic].flat().includes(log.topics[at] ?? ''),
          )
        if (logs.every(asked)) return logs
        throw new HiveError('CHAIN_ANSWER_INVALID', { action: 'events' })
      },
      options,
    )
  }

  /** Endpoints refuse ranges that are too long or too full, each at its own limit: halves are asked then. */
  async #logsBetween(
    fromBlock: number,
    toBlock: number,
    topics: Topics,
    options: CallOptions,
  ): Promise<readonly Log[]> {
    options.signal.throwIfAborted()
    try {
      return await this.#rpc.getLogs({ address: this.address, fromBlock, toBlock, topics })
    } catch (error) {
      const refused = isError(error, 'UNKNOWN_ERROR') || isError(error, 'SERVER_ERROR')
      if (!refused || toBlock - fromBlock < SMALLEST_LOG_RANGE) throw error
    }
    const middle = Math.floor((fromBlock + toBlock) / 2)
    const older = await this.#logsBetween(fromBlock, middle, topics, options)
    return [...older, ...(await this.#logsBetween(middle + 1, toBlock, topics, options))]
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
      await this.#ready(signal)
      return await withSignal(work(), signal)
    } catch (error) {
      if (signal.aborted) throw error
      throw asChainError(error, action)
    }
  }
}
