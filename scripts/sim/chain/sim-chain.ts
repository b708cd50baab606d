import type { Address, Bytes32 } from '../../../node/domain/ids.ts'
import type { Amount } from '../../../node/domain/money.ts'
import { second } from '../../../node/domain/units.ts'
import type { Escrow, TransactionReceipt } from '../../../node/ports/escrow.ts'
import { FakeChain, type EventBody } from '../../../test/support/fake-chain.ts'
import type { Randomness } from '../time/randomness.ts'
import type { VirtualClock } from '../time/virtual-clock.ts'
import { ChainState } from './chain-state.ts'
import { SimEscrow } from './sim-escrow.ts'

/** Time between blocks, ms; that of the roll-ups that jobs are paid on. */
const BLOCK_MS: number = 2 * second
/** Blocks that must stand on a transaction before its sender counts on it. */
const CONFIRMATIONS = 3
/** Blocks that can still be replaced. */
const MEMORY = 32

/** A transaction from the moment it was sent. */
interface Transaction {
  readonly hash: Bytes32
  readonly run: () => Promise<unknown>
  readonly settled: (outcome: Promise<unknown>) => void
  /** What came of it in the block that it is in now. */
  outcome: Promise<unknown> | undefined
}

interface Block {
  readonly number: number
  /** Kept only where blocks may be replaced. */
  readonly before: ChainState | undefined
  readonly transactions: readonly Transaction[]
}

/** The contract of the tests' chain, with blocks, confirmations and reorganisations. */
export class SimChain extends FakeChain {
  readonly #clock: VirtualClock
  readonly #random: Randomness
  readonly #reorganises: boolean
  readonly #blocks: Block[] = []
  #pending: Transaction[] = []
  #height = 0
  #sent = 0
  #blockTime: number
  #current: Bytes32 = `0x${'0'.repeat(64)}`
  /** Transactions mined, and blocks replaced. */
  readonly counts = { transactions: 0, replaced: 0, reorganisations: 0 }

  constructor(clock: VirtualClock, random: Randomness, options: { readonly reorganises: boolean }) {
    super()
    this.#clock = clock
    this.#random = random
    this.#reorganises = options.reorganises
    this.now = () => Math.floor(this.#blockTime / second)
    this.#blockTime = clock.now()
    clock.after(BLOCK_MS, () => this.#mineNext())
  }

  override get newestBlock(): number {
    return this.#height
  }

  /** Notes what a transaction of the block that is being made has done. */
  override mine(...events: EventBody[]): TransactionReceipt {
    const [block, transaction] = [this.#height, this.#current]
    for (const event of events) this.events.push({ ...event, block, transaction })
    return { hash: transaction, block, gasUsed: 50_000 }
  }

  override as(account: Address): Escrow {
    return new SimEscrow(this, account)
  }

  /** Puts a call into a block, and resolves with what it returned, or threw, once the block is confirmed. */
  async send<T>(run: () => Promise<T>): Promise<T> {
    const hash: Bytes32 = `0x${(++this.#sent).toString(16).padStart(64, '0')}`
    return new Promise<T>((resolve, reject) => {
      const settled = (outcome: Promise<unknown>): void => {
        ;(outcome as Promise<T>).then(resolve, reject)
      }
      this.#pending.push({ hash, run, settled, outcome: undefined })
    })
  }

  /** Replaces the newest blocks by others, in which the same transactions are in another order, and some only later. */
  reorganise(depth: number): void {
    const gone = this.#blocks.splice(-Math.min(depth, this.#blocks.length))
    const [first] = gone
    if (first?.before === undefined) return
    first.before.restore(this)
    this.#height = first.number - 1
    this.counts.reorganisations++
    this.counts.replaced += gone.length
    const orphans = this.#random.shuffled(gone.flatMap(({ transactions }) => transactions))
    // one block more than there was, or no node would follow it
    const share = Math.ceil(orphans.length / (gone.length + 1))
    for (let at = 0; at <= gone.length; at++)
      this.#makeBlock(orphans.slice(at * share, (at + 1) * share))
  }

  /** All the money there is, wherever it is: no transaction changes it. */
  get total(): Amount {
    const sum = (amounts: Iterable<Amount>) => [...amounts].reduce((all, each) => all + each, 0n)
    const inChannels = [...this.channels.values()].map(
      ({ deposit, settled, bond }) => deposit - settled + bond,
    )
    return sum(this.free.values()) + sum(this.token.values()) + sum(inChannels)
  }

  #mineNext(): void {
    this.#blockTime = this.#clock.now()
    const transactions = this.#pending
    this.#pending = []
    this.#makeBlock(transactions)
    this.#confirm()
    this.#clock.after(BLOCK_MS, () => this.#mineNext())
  }

  #makeBlock(transactions: readonly Transaction[]): void {
    const number = ++this.#height
    const before = this.#reorganises ? new ChainState(this) : undefined
    this.#blocks.push({ number, before, transactions })
    if (this.#blocks.length > MEMORY) this.#blocks.shift()
    for (const transaction of transactions) {
      this.#current = transaction.hash
      // the contract's calls run to their end at once; only their answers come as promises
      transaction.outcome = transaction.run()
      transaction.outcome.catch(() => undefined) // it is for whoever sent it
      this.counts.transactions++
    }
  }

  #confirm(): void {
    const confirmed = this.#height - CONFIRMATIONS + 1
    for (const { number, transactions } of this.#blocks)
      if (number <= confirmed)
        for (const { settled, outcome } of transactions) if (outcome !== undefined) settled(outcome)
  }
}
