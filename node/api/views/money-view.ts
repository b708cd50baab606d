import { needOf } from '../../domain/offer.ts'
import type { TransactionReceipt } from '../../ports/escrow.ts'
import type { EarningRecord, WorkRecord } from '../../services/provider/records.ts'
import type { ChannelRecord } from '../../services/requester/channel-record.ts'
import type { SpendingLedger } from '../../services/requester/spending-ledger.ts'
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

/** What this node has agreed to pay, and its limits for that. */
export function spendingView({
  today,
  outstanding,
  limits,
}: Pick<SpendingLedger, 'today' | 'outstanding' | 'limits'>): WalletBody['spending'] {
  const { perJob, perDay, outstanding: most } = limits
  return {
    today: today.toString(),
    outstanding: outstanding.toString(),
    limits: {
      ...(perJob !== undefined && { perJob: perJob.toString() }),
      ...(perDay !== undefined && { perDay: perDay.toString() }),
      ...(most !== undefined && { outstanding: most.toString() }),
    },
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
