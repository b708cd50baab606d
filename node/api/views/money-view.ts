import { needOf } from '../../domain/offer.ts'
import type { TransactionReceipt } from '../../ports/escrow.ts'
import type { EarningRecord, WorkRecord } from '../../services/provider/records.ts'
import type { ChannelRecord } from '../../services/requester/channel-record.ts'
import type { TransactionBody } from '../schemas/basics.ts'
import type { WalletBody, WorkBody, WorkListBody } from '../schemas/money.ts'

export function channelView(channel: ChannelRecord): WalletBody['channels'][number] {
  const { id, provider, status, deposit, cumulative, jobs, acknowledged } = channel
  return {
    id,
    provider,
    status,
    jobs,
    acknowledged,
    deposit: deposit.toString(),
    promised: cumulative.toString(),
  }
}

export function workView(work: WorkRecord): WorkBody {
  const { id, state, requester, channel, seq, tasks, ask, price, startedAt } = work
  return {
    id,
    state,
    requester,
    channel,
    seq,
    tasks: [...tasks],
    need: needOf(ask),
    startedAt,
    price: price.toString(),
    ...(work.amount !== undefined && { amount: work.amount.toString() }),
    ...(work.finishedAt !== undefined && { finishedAt: work.finishedAt }),
    ...(work.error !== undefined && { error: work.error }),
  }
}

export function earningView(earning: EarningRecord): WorkListBody['earnings'][number] {
  return {
    channel: earning.id,
    requester: earning.requester,
    deposit: earning.deposit.toString(),
    promised: earning.cumulative.toString(),
    claimed: earning.claimed.toString(),
    jobs: earning.paid.length,
  }
}

export function transactionView({ hash, block, gasUsed }: TransactionReceipt): TransactionBody {
  return { hash, block, gasUsed }
}
