import { openChainEscrow } from '../../../node/adapters/chain/chain-escrow.ts'
import { systemClock } from '../../../node/adapters/system/system-clock.ts'
import type { WalletBody } from '../../../node/api/schemas/money.ts'
import type { Address } from '../../../node/domain/ids.ts'
import type { Escrow, EscrowEvent } from '../../../node/ports/escrow.ts'
import { readSolvency, type Solvency } from '../../../scripts/demo/settlement.ts'
import { eventually, patience, type SharedNetwork } from './shared-network.ts'

type Claim = EscrowEvent & { readonly type: 'claimed' }

/** Where all the money is, from the chain alone. */
export interface Holdings extends Solvency {
  /** Free and locked, of each account of the network. */
  readonly of: ReadonlyMap<Address, bigint>
  /** Paid out of channels, fee included, since the chain began. */
  readonly paid: bigint
  /** Of `paid`, what waits for the treasury to collect it. */
  readonly fees: bigint
}

/** How often it is read until something holds, ms: each time is a connection and all events. */
const READ_EVERY_MS = 250

/** Reads the contract over RPC, as anybody could, while the tests of a network run. */
export class Money {
  readonly #network: SharedNetwork

  constructor(network: SharedNetwork) {
    this.#network = network
  }

  /** Claims mined so far, the oldest first, with who was paid. */
  async claims(): Promise<readonly (Claim & { readonly provider: Address })[]> {
    return this.#read(async (escrow) => {
      const events = await escrow.events({ fromBlock: 0 }, { signal: patience() })
      const providers = new Map(
        events.flatMap((each) =>
          each.type === 'opened' ? [[each.channel, each.provider] as const] : [],
        ),
      )
      return events.flatMap((each) => {
        const provider = providers.get(each.channel)
        return each.type === 'claimed' && provider !== undefined ? [{ ...each, provider }] : []
      })
    })
  }

  /** Resolves when everything that the requester has promised is claimed. */
  async settled(requester = 'requester-1'): Promise<void> {
    const client = await this.#network.client(requester)
    const { address } = this.#network.node(requester)
    await eventually(async () => {
      const { channels } = await client.get<WalletBody>('/v1/wallet')
      const promised = channels.reduce((sum, each) => sum + BigInt(each.promised), 0n)
      const claims = await this.#claimedFrom(address)
      return claims === promised
    }, READ_EVERY_MS)
  }

  async holdings(): Promise<Holdings> {
    const { rpc, contracts } = this.#network.all
    const of = new Map<Address, bigint>()
    return this.#read(async (escrow) => {
      const signal = patience()
      for (const { address } of this.#network.nodes)
        of.set(address, (await escrow.balances(address, { signal })).free)
      const add = (account: Address, amount: bigint) =>
        of.set(account, (of.get(account) ?? 0n) + amount)
      const events = await escrow.events({ fromBlock: 0 }, { signal })
      let paid = 0n
      let fees = 0n
      for (const each of events) {
        if (each.type === 'claimed') {
          paid += each.paid
          fees += each.fee
        }
        if (each.type !== 'opened') continue
        const channel = await escrow.channel(each.channel, { signal })
        add(each.requester, (channel?.deposit ?? 0n) - (channel?.settled ?? 0n))
        add(each.provider, channel?.bond ?? 0n)
      }
      return { of, paid, fees, ...(await readSolvency(rpc, contracts.escrow)) }
    })
  }

  async #claimedFrom(requester: Address): Promise<bigint> {
    return this.#read(async (escrow) => {
      const events = await escrow.events({ fromBlock: 0 }, { signal: patience() })
      const own = new Set(
        events.flatMap((each) =>
          each.type === 'opened' && each.requester === requester ? [each.channel] : [],
        ),
      )
      return events.reduce(
        (sum, each) => (each.type === 'claimed' && own.has(each.channel) ? sum + each.paid : sum),
        0n,
      )
    })
  }

  async #read<T>(work: (escrow: Escrow) => Promise<T>): Promise<T> {
    const { rpc, contracts } = this.#network.all
    const options = { rpc, address: contracts.escrow }
    await using escrow = await openChainEscrow({ clock: systemClock }, options, patience())
    return await work(escrow)
  }
}
