import { zeroPadValue, type Log } from 'ethers'
import { HiveError } from '../../domain/errors.ts'
import type { Address, Bytes32 } from '../../domain/ids.ts'
import type { CallOptions } from '../../ports/requests.ts'
import { channelId } from '../../protocol/channel-id.ts'
import { topicOf, type ContractReads } from './contract-reads.ts'
import { partiesOf, type ChannelParties } from './escrow-events.ts'

export interface ChannelPartiesOptions {
  readonly chainId: number
  /** Block of the deployment. */
  readonly fromBlock: number
}

/** Whose each channel is. The contract keeps a hash of the parties; the opening event has them in full. */
export class ChannelPartiesBook {
  readonly #reads: ContractReads
  readonly #options: ChannelPartiesOptions
  readonly #known = new Map<Bytes32, ChannelParties>()

  constructor(reads: ContractReads, options: ChannelPartiesOptions) {
    this.#reads = reads
    this.#options = options
  }

  /** Takes over what the caller has just sent itself. */
  note(id: Bytes32, parties: ChannelParties): void {
    this.#known.set(id, parties)
  }

  /** Throws `CHANNEL_UNKNOWN`, and `CHAIN_ANSWER_INVALID` when the endpoint names others than the id does. */
  async of(id: Bytes32, options: CallOptions): Promise<ChannelParties> {
    const known = this.#known.get(id)
    if (known !== undefined) return known
    const { fromBlock } = this.#options
    const [log] = await this.#reads.logs(fromBlock, [topicOf('Opened'), id], options)
    if (log === undefined) throw new HiveError('CHANNEL_UNKNOWN', { channel: id })
    this.#admit(id, log)
    return partiesOf(log)
  }

  /** Ids of the channels that an account opened, or that were opened with it, in these blocks; oldest first. */
  async openedWith(
    account: Address,
    [fromBlock, toBlock]: readonly [number, number],
    options: CallOptions,
  ): Promise<readonly Bytes32[]> {
    const who = zeroPadValue(account, 32)
    const opened = topicOf('Opened')
    const logs = [
      ...(await this.#reads.logs(fromBlock, [opened, null, who], options, toBlock)),
      ...(await this.#reads.logs(fromBlock, [opened, null, null, who], options, toBlock)),
    ]
    return logs
      .sort((a, b) => a.blockNumber - b.blockNumber || a.index - b.index)
      .map((log) => this.#admit(log.topics[1] as Bytes32, log))
  }

  #admit(id: Bytes32, log: Log): Bytes32 {
    const { chainId } = this.#options
    const parties = partiesOf(log)
    // The endpoint cannot make up parties: their hash is the id.
    if (channelId({ chainId, escrow: this.#reads.address }, parties) !== id)
      throw new HiveError('CHAIN_ANSWER_INVALID', { action: 'read Opened', channel: id })
    this.#known.set(id, parties)
    return id
  }
}
