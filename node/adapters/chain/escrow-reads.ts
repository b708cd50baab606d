import type { Contract } from 'ethers'
import type { Address, Bytes32 } from '../../domain/ids.ts'
import type { Amount } from '../../domain/money.ts'
import type { AccountRecord, EscrowEvent, OpenedChannels } from '../../ports/escrow.ts'
import type { CallOptions } from '../../ports/requests.ts'
import type { ChannelPartiesBook } from './channel-parties.ts'
import { topicOf, type ContractReads } from './contract-reads.ts'
import { eventOf } from './escrow-events.ts'

/** An account's free balance in the escrow, and its record. */
export async function ledgerOf(
  reads: ContractReads,
  escrow: Contract,
  account: Address,
  options: CallOptions,
): Promise<{ readonly free: Amount; readonly record: AccountRecord }> {
  const answer = await reads.read(escrow, 'account', [account], options)
  const { free = 0n, feesPaid = 0n, faults, firstSeen } = answer as Record<string, bigint>
  return { free, record: { feesPaid, faults: Number(faults), firstSeen: Number(firstSeen) } }
}

/** Blocks that one answer about openings covers at most; public endpoints read some ten thousand at once. */
const MAX_BLOCKS_AT_ONCE = 50_000

/** Channels of an account that were opened in a block or later. */
export async function openedFrom(
  reads: ContractReads,
  parties: ChannelPartiesBook,
  { account, fromBlock }: { readonly account: Address; readonly fromBlock: number },
  options: CallOptions,
): Promise<OpenedChannels> {
  const newest = await reads.newestBlock(options)
  const upTo = Math.min(newest, fromBlock + MAX_BLOCKS_AT_ONCE - 1)
  if (upTo < fromBlock) return { channels: [], upTo: fromBlock - 1, newest }
  const channels = await parties.openedWith(account, [fromBlock, upTo], options)
  return { channels, upTo, newest }
}

/** Events from a block on, oldest first, of one channel or of all. */
export async function eventsFrom(
  reads: ContractReads,
  { fromBlock, channel }: { readonly fromBlock: number; readonly channel?: Bytes32 },
  options: CallOptions,
): Promise<readonly EscrowEvent[]> {
  const topics = channel === undefined ? [] : [null, channel]
  const logs = [...(await reads.logs(fromBlock, topics, options))]
  // Events of cases carry their channel second.
  const cases = [topicOf('CaseOpened'), topicOf('CaseEnded')]
  if (channel !== undefined)
    logs.push(...(await reads.logs(fromBlock, [cases, null, channel], options)))
  const ordered = logs.sort((a, b) => a.blockNumber - b.blockNumber || a.index - b.index)
  return ordered.map(eventOf).filter((event) => event !== undefined)
}
