import { Type } from 'typebox'
import { HiveError } from '../../domain/errors.ts'
import type { Bytes32 } from '../../domain/ids.ts'
import { MAX_AMOUNT, type Amount } from '../../domain/money.ts'
import { signalOf, type App } from '../app.ts'
import type { RouteContext } from '../api-parts.ts'
import { Bytes32Text, TransactionBody } from '../schemas/basics.ts'
import { ClosingBody, DepositBody, WalletBody, WithdrawBody } from '../schemas/money.ts'
import { channelView, spendingView, transactionView } from '../views/money-view.ts'

/**
 * The node's money. Transactions go on when the caller leaves: one that was sent cannot be taken
 * back, so only the node's own stop ends the wait for it.
 */
export function walletRoutes(app: App, context: RouteContext): void {
  const { escrow, signing, requester, stop } = context

  app.get(
    '/v1/wallet',
    { schema: { summary: 'Balances, channels and what is spent', response: { 200: WalletBody } } },
    async (_request, reply): Promise<WalletBody> => {
      const { free, token, gas } = await escrow.balances(signing.address, {
        signal: signalOf(reply, stop),
      })
      return {
        address: signing.address,
        free: free.toString(),
        token: token.toString(),
        gas: gas.toString(),
        uncommitted: requester.channels.uncommitted().toString(),
        spending: spendingView(requester.channels.spent),
        channels: requester.channels.all().map(channelView),
      }
    },
  )

  app.post(
    '/v1/wallet/deposit',
    {
      schema: {
        summary: 'Moves tokens of the node’s account into the escrow',
        body: DepositBody,
        response: { 200: TransactionBody },
      },
    },
    async ({ body }) =>
      transactionView(await escrow.deposit(amountOf(body.amount), { signal: stop })),
  )

  app.post(
    '/v1/wallet/withdraw',
    {
      schema: {
        summary: 'Moves free tokens out of the escrow, to the node’s account unless told otherwise',
        body: WithdrawBody,
        response: { 200: TransactionBody },
      },
    },
    async ({ body }) =>
      transactionView(
        await requester.channels.spending(async () =>
          escrow.withdraw(body.to ?? signing.address, amountOf(body.amount), { signal: stop }),
        ),
      ),
  )

  app.post(
    '/v1/channels/:id/close',
    {
      schema: {
        summary: 'Gives notice on a channel, or closes it when its notice has run out',
        params: Type.Object({ id: Bytes32Text }),
        querystring: Type.Object({ force: Type.Optional(Type.Literal('true')) }),
        response: { 200: ClosingBody },
      },
    },
    async ({ params, query }) => close(context, params.id, query.force === 'true'),
  )
}

async function close(
  { escrow, clock, stop, requester: { channels } }: RouteContext,
  id: Bytes32,
  force: boolean,
): Promise<ClosingBody> {
  const signal = stop
  const before = await escrow.channel(id, { signal })
  if (before === undefined) throw new HiveError('CHANNEL_UNKNOWN', { channel: id })
  const due = before.status === 'closing' && before.closeAt * 1000 < clock.now()
  const sent =
    before.status === 'open'
      ? await channels.giveNotice(id, force, async () => escrow.startClose(id, { signal }))
      : due
        ? await escrow.close(id, { signal })
        : undefined
  await channels.reconcile(id, signal)
  const after = (await escrow.channel(id, { signal })) ?? before
  return {
    channel: id,
    status: after.status,
    closeAt: after.closeAt,
    ...(sent !== undefined && { transaction: transactionView(sent) }),
  }
}

function amountOf(text: string): Amount {
  const amount = BigInt(text)
  if (amount > 0n && amount <= MAX_AMOUNT) return amount
  throw new HiveError('INPUT_INVALID', {
    problems: ['body.amount: must be above zero and below 2^96'],
  })
}
