import type { Offer } from '../../node/domain/offer.ts'
import type { Candidate } from '../../node/domain/candidate.ts'
import { place, type PlacingLimits } from '../../node/domain/placement.ts'
import { hour, minute, second } from '../../node/domain/units.ts'
import { figure, median, type Figure } from './figures.ts'

const TASKS = 1000
const BIDS = 10_000
const ROUNDS = 9
/** A quarter of the bids have each price, and every tenth bidder is known. */
const PRICES = 4
const KNOWN = 10

/** How long it takes to deal a large job out over very many bids: at once after the start of a process, and later. */
export function placingFigures(): Figure[] {
  const now = Date.now()
  const zero = `0x${'0'.repeat(64)}` as const
  const candidates = Array.from({ length: BIDS }, (_, at): Candidate => {
    const provider = `0x${at.toString(16).padStart(40, '0')}` as const
    const bid = {
      offer: zero,
      provider,
      price: BigInt(1e15 + (at % PRICES)),
      capacity: 1 + (at % 8),
      etaMs: at % 1000,
      cached: at % 3 === 0,
      validUntil: now + hour,
    }
    // scattered, as hashes are
    const lot = ((at * 2_654_435_761) % 2 ** 32).toString(16).padStart(64, '0')
    const proven = at % KNOWN === 0
    const msPerTask = proven ? at : Infinity
    return {
      bid,
      cost: bid.price,
      affine: proven,
      faults: 0,
      reputation: { faults: 0, standing: at % 5 },
      capacity: bid.capacity,
      proven,
      holds: at % 3,
      ...(proven && { taskMs: second }),
      msPerTask,
      lot,
    }
  })
  const offer = { maxPrice: BigInt(1e18), payEveryMs: 0, taskTimeoutMs: minute } as Offer
  const tasks = Array.from({ length: TASKS }, (_, at) => at)
  // Half of what it costs, and time for some rounds with those who are known.
  const limits = { budget: (BigInt(TASKS) * BigInt(1e15)) / 2n, deadlineAt: now + 30 * second }
  const timed = (within: PlacingLimits) =>
    Array.from({ length: ROUNDS }, () => {
      const began = performance.now()
      place(offer, tasks, candidates.slice(), now, within)
      return performance.now() - began
    })
  const times = timed({})
  const name = `placement of ${TASKS} tasks over ${BIDS} bids`
  return [
    figure(`${name}, first in a process`, times[0] ?? NaN, 'ms', 1),
    figure(`${name}, median`, median(times), 'ms', ROUNDS),
    figure(`${name}, within a budget and a deadline, median`, median(timed(limits)), 'ms', ROUNDS),
  ]
}
