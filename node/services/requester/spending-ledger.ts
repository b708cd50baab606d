import { HiveError } from '../../domain/errors.ts'
import type { Bytes32 } from '../../domain/ids.ts'
import type { Amount } from '../../domain/money.ts'
import { today, type Purpose, type SpendingLimits, type SpentDay } from '../../domain/spending.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Store, StoreChange } from '../../ports/store.ts'
import { Table } from '../table.ts'

/** A price that is to be agreed on. */
export interface Spend {
  readonly price: Amount
  readonly job: Bytes32
  /** Most that the job may cost, by its own request. */
  readonly budget?: Amount
}

/** Leave to spend, which counts until it is disposed; then only if it was kept. */
export interface Leave extends Disposable {
  readonly purpose: Purpose
  /** Writes by `write` what is agreed, with the changes that say that it was spent. */
  keep(write: (changes: readonly StoreChange[]) => Promise<void>): Promise<void>
}

/** What more may be agreed on, and the code of what keeps it from being more. */
export interface Spendable {
  readonly left: Amount
  readonly code: 'JOB_BUDGET' | 'SPENDING_LIMIT'
}

interface Bound extends Spendable {
  readonly name: 'budget' | keyof SpendingLimits
  readonly most: Amount
}

interface JobSpent {
  readonly amount: Amount
}

const OWN = 'own'

/**
 * What this node has agreed to pay, by job and day, and its limits for that. Written with the reservations themselves, so
 * that it is neither forgotten nor counted twice. Holds one number for each job since the start.
 */
export class SpendingLedger {
  readonly #parts: { readonly clock: Clock; readonly outstanding: () => Amount }
  readonly #limits: SpendingLimits
  readonly #jobTable: Table<JobSpent>
  readonly #dayTable: Table<SpentDay>
  readonly #jobs = new Map<Bytes32, Amount>()
  /** Left to spend and not counted above yet, by job. */
  readonly #pending = new Map<Bytes32, Amount>()
  /** Left to spend and not among the reservations yet. */
  #unwritten: Amount = 0n
  #day: SpentDay = { day: 0, amount: 0n }

  constructor(
    parts: { readonly clock: Clock; readonly store: Store; readonly outstanding: () => Amount },
    limits: SpendingLimits,
  ) {
    this.#parts = parts
    this.#limits = limits
    this.#jobTable = new Table(parts.store, 'spent/')
    this.#dayTable = new Table(parts.store, 'today/')
  }

  /** Reads back what is needed for reservations of these purposes to be given back. */
  async load(purposes: readonly Purpose[]): Promise<void> {
    this.#day = (await this.#dayTable.get(OWN)) ?? this.#day
    for (const { job } of purposes) await this.#know(job)
  }

  get limits(): SpendingLimits {
    return this.#limits
  }

  /** Agreed today (UTC), less what was given back. */
  get today(): Amount {
    return today(this.#day, this.#parts.clock.now()).amount
  }

  /** Agreed and not yet paid, on all channels. */
  get outstanding(): Amount {
    return this.#parts.outstanding()
  }

  /** How much more a job could agree on; `undefined`: no limit. */
  async spendable(job: Bytes32 | undefined, budget?: Amount): Promise<Spendable | undefined> {
    if (job !== undefined) await this.#know(job)
    return this.#tightest(job, budget)
  }

  /** Leave to agree on a price. Throws `SPENDING_LIMIT`, or `JOB_BUDGET`. */
  async leave({ job, price, budget }: Spend): Promise<Leave> {
    await this.#know(job)
    const bound = this.#tightest(job, budget)
    if (bound !== undefined && bound.left < price) {
      const { code, name, most, left } = bound
      throw new HiveError(code, { limit: name, most, spent: most - left, needed: price })
    }
    const { day } = today(this.#day, this.#parts.clock.now())
    const purpose = { job, day }
    this.#addPending(job, price)
    this.#unwritten += price
    let isPending = true
    const settlePending = () => {
      if (isPending) this.#addPending(job, -price)
      isPending = false
    }
    return {
      purpose,
      keep: async (write) => {
        settlePending()
        const changes = this.#spend(purpose, price)
        try {
          await write(changes)
        } catch (error) {
          this.#spend(purpose, -price)
          throw error
        }
      },
      [Symbol.dispose]: () => {
        settlePending()
        this.#unwritten -= price
      },
    }
  }

  /** Takes back what was agreed and will not be paid. Returns the changes that say so. */
  giveBack(purpose: Purpose | undefined, amount: Amount): readonly StoreChange[] {
    return purpose === undefined || amount === 0n ? [] : this.#spend(purpose, -amount)
  }

  #spend({ job, day }: Purpose, price: Amount): readonly StoreChange[] {
    const amount = (this.#jobs.get(job) ?? 0n) + price
    this.#jobs.set(job, amount)
    const current = today(this.#day, this.#parts.clock.now())
    // What is given back of an earlier day makes no room in this one.
    const added = day === current.day ? price : 0n
    this.#day = { ...current, amount: current.amount + added }
    return [this.#jobTable.change(job, { amount }), this.#dayTable.change(OWN, this.#day)]
  }

  #tightest(job: Bytes32 | undefined, budget: Amount | undefined): Bound | undefined {
    const { perJob, perDay, outstanding } = this.#limits
    const pending = [...this.#pending.values()].reduce((sum, each) => sum + each, 0n)
    const ofJob =
      job === undefined ? 0n : (this.#jobs.get(job) ?? 0n) + (this.#pending.get(job) ?? 0n)
    const bounds: Bound[] = []
    const add = (name: Bound['name'], most: Amount | undefined, spent: Amount) => {
      if (most === undefined) return
      const code = name === 'budget' ? 'JOB_BUDGET' : 'SPENDING_LIMIT'
      bounds.push({ name, most, code, left: most > spent ? most - spent : 0n })
    }
    add('budget', budget, ofJob)
    add('perJob', perJob, ofJob)
    add('perDay', perDay, this.today + pending)
    add('outstanding', outstanding, this.outstanding + this.#unwritten)
    return bounds.sort((a, b) => (a.left < b.left ? -1 : a.left > b.left ? 1 : 0))[0]
  }

  #addPending(job: Bytes32, price: Amount): void {
    const pending = (this.#pending.get(job) ?? 0n) + price
    if (pending === 0n) this.#pending.delete(job)
    else this.#pending.set(job, pending)
  }

  async #know(job: Bytes32): Promise<void> {
    if (this.#jobs.has(job)) return
    const spent = await this.#jobTable.get(job)
    if (!this.#jobs.has(job)) this.#jobs.set(job, spent?.amount ?? 0n)
  }
}
