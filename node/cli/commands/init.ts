import type { Command } from 'commander'
import type { InitialConfig } from '../../config/initial-file.ts'
import { HiveError } from '../../domain/errors.ts'
import { command, contextOf, type CommonOptions } from '../command.ts'
import { pairs } from '../output/columns.ts'
import type { CliParts } from '../parts.ts'

interface InitOptions extends CommonOptions {
  readonly rpc: string
  readonly chainId: string
  readonly escrow: string
  readonly network?: string
  readonly listen?: string[]
  readonly bootstrap?: string[]
  readonly provider?: boolean
  readonly private?: boolean
  readonly apiPort?: string
  readonly fromBlock?: string
}

/** `hive init`: a key and a config in a new data folder. */
export function initCommand(parts: CliParts): Command {
  return command({
    usage: 'init',
    description: 'Make a new node: an encrypted key and a config file',
    examples: [
      'init --rpc http://127.0.0.1:8545 --chain-id 31337 --escrow 0x5FbDB2315678afecb367f032d93F642f64180aa3',
      'init --provider --rpc https://rpc.example.org --chain-id 11155111 --escrow 0x… --bootstrap /dns4/…',
    ],
  })
    .requiredOption('--rpc <url>', 'JSON-RPC endpoint of the chain')
    .requiredOption('--chain-id <n>', 'id of the chain')
    .requiredOption('--escrow <address>', 'address of its ComputeEscrow contract')
    .option('--from-block <n>', 'block in which the contract was deployed')
    .option('--network <name>', 'name of the network to join')
    .option('--listen <multiaddr...>', 'addresses to listen on')
    .option('--bootstrap <multiaddr...>', 'nodes to join the network through')
    .option('--provider', 'also run jobs of others, for money')
    .option('--private', 'a network of loopback or private addresses')
    .option('--api-port <n>', 'fixed port of the local API')
    .action(async (options: InitOptions) => {
      const { dataDir, show } = contextOf(parts, options)
      const passphrase = await newPassphrase(parts)
      const made = await parts.initNode({ dataDir, passphrase, initial: initialOf(options) })
      await show({ dataDir, ...made }, () => [
        ...pairs([
          ['folder', dataDir],
          ['address', made.address],
          ['peer', made.peer],
        ]),
        '',
        'Keep the passphrase: without it the key, and the money it holds, cannot be used again.',
        'Next: send gas and tokens to the address, then `hive up` and `hive wallet deposit`.',
      ])
    })
}

async function newPassphrase(parts: CliParts): Promise<string> {
  const set = await parts.passphraseSetting()
  if (set !== undefined) return set
  const first = await parts.readPassphrase('New passphrase for the key: ')
  if (first === undefined || first === '') throw new HiveError('PASSPHRASE_MISSING')
  const second = await parts.readPassphrase('The same again: ')
  if (first !== second)
    throw new HiveError('INPUT_INVALID', { problems: ['passphrase: the two are not the same'] })
  return first
}

function initialOf(options: InitOptions): InitialConfig {
  const { network, listen, bootstrap, provider, rpc, chainId, escrow, apiPort, fromBlock } = options
  const number = (text: string) => (/^\d+$/.test(text) ? Number(text) : (text as unknown as number))
  return {
    network: {
      ...(network !== undefined && { name: network }),
      ...(listen !== undefined && { listen }),
      ...(bootstrap !== undefined && { bootstrap }),
      ...(options.private === true && { private: true }),
    },
    chain: {
      rpc,
      id: number(chainId),
      escrow,
      ...(fromBlock !== undefined && { fromBlock: number(fromBlock) }),
    },
    ...(provider === true && { provider: { enabled: true } }),
    ...(apiPort !== undefined && { api: { port: number(apiPort) } }),
  }
}
