import assert from 'node:assert/strict'
import { test } from 'node:test'
import { codeOf } from '../../../node/domain/errors.ts'
import type { Bytes32 } from '../../../node/domain/ids.ts'
import type { SpendingLimits } from '../../../node/domain/spending.ts'
import { day, hour } from '../../../node/domain/units.ts'
import { SpendingLedger } from '../../../node/services/requester/spending-ledger.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { MemoryStore } from '../../support/memory-store.ts'

const NOON = 20_000 * day + 12 * hour
const job = (n: number): Bytes32 => `0x${n.toString(16).padStart(64, '0')}`

/** A ledger whose reservations a test makes and ends itself. */
function aLedger(limits: SpendingLimits) {
  const clock = new ManualClock(NOON)
  const store = new MemoryStore()
  let outstanding = 0n
  const open = () => new SpendingLedger({ clock, store, outstanding: () => outstanding }, limits)
  return {
    clock,
    store,
    open,
    spend: async (on: SpendingLedger, n: number, price: bigint, budget?: bigint) => {
      using leave = await on.leave({ job: job(n), price, ...(budget !== undefined && { budget }) })
      await leave.keep(async (changes) => {
        await store.write(changes)
        outstanding += price
      })
      return leave.purpose
    },
    settled: (price: bigint) => {
      outstanding -= price
    },
  }
}

/** What a spending is refused with. */
async function refused(spending: Promise<unknown>): Promise<string | undefined> {
  return spending.then(
    () => undefined,
    (error: unknown) => codeOf(error),
  )
}

test('limits: the last unit is spent, and not one more, whichever of them is the tightest', async () => {
  for (const limits of [{ perJob: 10n }, { perDay: 10n }, { outstanding: 10n }]) {
    const it = aLedger(limits)
    const ledger = it.open()
    await it.spend(ledger, 1, 10n)
    assert.equal(await refused(it.spend(ledger, 1, 1n)), 'SPENDING_LIMIT')
    assert.equal((await ledger.spendable(job(1)))?.left, 0n)
  }
  const it = aLedger({})
  const ledger = it.open()
  await it.spend(ledger, 1, 10n, 10n)
  assert.equal(await refused(it.spend(ledger, 1, 1n, 10n)), 'JOB_BUDGET')
  assert.equal(await refused(it.spend(ledger, 1, 1n, 11n)), undefined)
  assert.equal(await ledger.spendable(job(1)), undefined)
})

test('limits: what is given leave counts before it is written, so that two at once do not go beyond them', async () => {
  for (const limits of [{ perJob: 10n }, { perDay: 10n }, { outstanding: 10n }]) {
    const it = aLedger(limits)
    const ledger = it.open()
    {
      using leave = await ledger.leave({ job: job(1), price: 6n })
      assert.equal(leave.purpose.job, job(1))
      assert.equal(await refused(ledger.leave({ job: job(1), price: 6n })), 'SPENDING_LIMIT')
    }
    // It was not used.
    await it.spend(ledger, 1, 6n)
  }
})

test('limits: a write that fails spends nothing', async () => {
  const it = aLedger({ perDay: 10n })
  const ledger = it.open()
  {
    using leave = await ledger.leave({ job: job(1), price: 10n })
    await assert.rejects(
      leave.keep(async () => Promise.reject(new Error('disk full'))),
      /disk full/,
    )
  }
  assert.equal(ledger.today, 0n)
  await it.spend(ledger, 1, 10n)
})

test('limits: the day ends at midnight UTC, and a clock that is set back begins none again', async () => {
  const it = aLedger({ perDay: 10n })
  const ledger = it.open()
  await it.spend(ledger, 1, 10n)
  await it.clock.advance(12 * hour - 1)
  assert.equal(await refused(it.spend(ledger, 1, 1n)), 'SPENDING_LIMIT')
  await it.clock.advance(1)
  assert.equal(ledger.today, 0n)
  await it.spend(ledger, 1, 10n)
  const earlier = new ManualClock(NOON)
  const parts = { clock: earlier, store: it.store, outstanding: () => 0n }
  const after = new SpendingLedger(parts, { perDay: 10n })
  await after.load([])
  assert.equal(after.today, 10n)
})

test('limits: what is given back makes room for the job, and for the day in which it was agreed', async () => {
  const it = aLedger({ perJob: 10n, perDay: 20n })
  const ledger = it.open()
  const first = await it.spend(ledger, 1, 10n)
  ledger.giveBack(first, 4n)
  assert.equal(ledger.today, 6n)
  await it.spend(ledger, 1, 4n)
  await it.clock.advance(day)
  await it.spend(ledger, 2, 9n)
  ledger.giveBack(first, 6n)
  assert.equal(ledger.today, 9n, 'what is given back of yesterday is not today’s')
  await it.spend(ledger, 1, 6n)
})

test('limits: a restart forgets neither the job’s spending nor the day’s', async () => {
  const it = aLedger({ perJob: 10n, perDay: 15n })
  await it.spend(it.open(), 1, 10n)
  const again = it.open()
  await again.load([])
  assert.equal(again.today, 10n)
  assert.equal(await refused(it.spend(again, 1, 1n)), 'SPENDING_LIMIT')
  await it.spend(again, 2, 5n)
  assert.equal(await refused(it.spend(again, 2, 1n)), 'SPENDING_LIMIT')
})
