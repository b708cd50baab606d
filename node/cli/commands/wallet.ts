import type { Command } from 'commander'
import type { TransactionBody } from '../../api/schemas/basics.ts'
import type { ClosingBody, WalletBody } from '../../api/schemas/money.ts'
import { HiveError } from '../../domain/errors.ts'
import { isHex, short } from '../../domain/ids.ts'
import { formatAmount, parseAmount } from '../../domain/money.ts'
import { command, contextOf, type CommonOptions } from '../command.ts'
import type { NodeClient } from '../node-client.ts'
import { columns, pairs } from '../output/columns.ts'
import { dateText } from '../output/words.ts'
import type { CliParts } from '../parts.ts'

/** `hive wallet`: the node's money. */
export function walletCommand(parts: CliParts): Command {
  return command({
    usage: 'wallet [command]',
    description: 'Show and move the node’s money',
    examples: ['wallet balance', 'wallet deposit 10', 'wallet withdraw 2.5 --to 0x…'],
  })
    .addCommand(balanceCommand(parts), { isDefault: true })
    .addCommand(depositCommand(parts))
    .addCommand(withdrawCommand(parts))
    .addCommand(closeCommand(parts))
}

function balanceCommand(parts: CliParts): Command {
  return command({
    usage: 'balance',
    description: 'Show balances and payment channels',
    examples: ['wallet balance', 'wallet --json'],
  }).action(async (_options: CommonOptions, self: Command) => {
    const { node, show } = contextOf(parts, self.optsWithGlobals())
    const wallet = await (await node()).get<WalletBody>('/v1/wallet')
    await show(wallet, () => walletLines(wallet))
  })
}

function depositCommand(parts: CliParts): Command {
  return command({
    usage: 'deposit <amount>',
    description: 'Move tokens from the node’s account into the escrow',
    examples: ['wallet deposit 10'],
  })
    .argument('<amount>', 'tokens, such as 2.5')
    .action(async (amount: string, _options: CommonOptions, self: Command) =>
      move(parts, self, '/v1/wallet/deposit', { amount: parseAmount(amount).toString() }),
    )
}

function withdrawCommand(parts: CliParts): Command {
  return command({
    usage: 'withdraw <amount>',
    description: 'Move free tokens out of the escrow',
    examples: ['wallet withdraw 2.5', 'wallet withdraw 2.5 --to 0x…'],
  })
    .argument('<amount>', 'tokens, such as 2.5')
    .option('--to <address>', 'account that gets them (default: the node’s own)')
    .action(async (amount: string, options: { readonly to?: string }, self: Command) =>
      move(parts, self, '/v1/wallet/withdraw', {
        amount: parseAmount(amount).toString(),
        ...(options.to !== undefined && { to: options.to.toLowerCase() }),
      }),
    )
}

function closeCommand(parts: CliParts): Command {
  return command({
    usage: 'close <channel>',
    description: 'Give notice on a payment channel, or close it once the notice has run out',
    examples: ['wallet close 0x7ba2'],
  })
    .argument('<channel>', 'id of a channel, or a unique start of one that `hive wallet` shows')
    .option('--force', 'also while shares are under way or a voucher is not acknowledged')
    .action(async (channel: string, { force }: { readonly force?: true }, self: Command) => {
      const { node, show } = contextOf(parts, self.optsWithGlobals())
      const client = await node()
      const query = force === true ? '?force=true' : ''
      const path = `/v1/channels/${await channelId(client, channel)}/close${query}`
      const closing = await client.post<ClosingBody>(path, undefined)
      await show(closing, () => [
        closing.status === 'closing'
          ? `notice given; after ${dateText(closing.closeAt * 1000)}: hive wallet close ${closing.channel}`
          : closing.status,
      ])
    })
}

/** The whole id: channels that this node pays through may be named by a unique start. */
async function channelId(client: NodeClient, start: string): Promise<string> {
  if (isHex(start, 32)) return start
  const { channels } = await client.get<WalletBody>('/v1/wallet')
  const [found, ...others] = channels.filter(({ id }) => id.startsWith(start))
  if (found === undefined || others.length > 0)
    throw new HiveError('CHANNEL_UNKNOWN', { channel: start.slice(0, 80) })
  return found.id
}

async function move(parts: CliParts, self: Command, path: string, body: object): Promise<void> {
  const { node, show } = contextOf(parts, self.optsWithGlobals())
  const mined = await (await node()).post<TransactionBody>(path, body)
  await show(mined, () => [`mined in block ${mined.block}: ${mined.hash}`])
}

function tokens(text: string): string {
  return formatAmount(BigInt(text))
}

/** What this node has promised to pay, beside its limits. */
function spendingText({ spending: { today, outstanding, limits } }: WalletBody): string {
  const of = (most: string | undefined) => (most === undefined ? '' : ` of ${tokens(most)}`)
  return `${tokens(today)}${of(limits.perDay)} tokens today (UTC), ${tokens(outstanding)}${of(limits.outstanding)} not yet paid`
}

function walletLines(wallet: WalletBody): string[] {
  const { limits } = wallet.spending
  const balances = pairs([
    ['address', wallet.address],
    ['in escrow', `${tokens(wallet.free)} tokens free, ${tokens(wallet.uncommitted)} in channels`],
    ['outside', `${tokens(wallet.token)} tokens`],
    ['gas', `${formatAmount(BigInt(wallet.gas))} coins of the chain`],
    ['agreed', spendingText(wallet)],
    ['limit', limits.perJob && `${tokens(limits.perJob)} tokens a job`],
  ])
  if (wallet.channels.length === 0) return balances
  return [
    ...balances,
    '',
    ...columns(
      ['CHANNEL', 'PROVIDER', 'STATUS', 'SHARES', 'PROMISED', 'DEPOSIT'],
      wallet.channels.map((channel) => [
        short(channel.id),
        channel.provider,
        channel.status,
        String(channel.jobs),
        tokens(channel.promised),
        tokens(channel.deposit),
      ]),
    ),
  ]
}
