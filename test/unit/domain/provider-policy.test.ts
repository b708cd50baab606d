import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { DECLINE_CODES, type DeclineCode } from '../../../node/domain/decline-errors.ts'
import { parsePattern } from '../../../node/domain/egress.ts'
import { parseHours } from '../../../node/domain/hours.ts'
import type { Offer } from '../../../node/domain/offer.ts'
import {
  admits,
  awardDecline,
  bidDecline,
  type Circumstances,
  type ProviderPolicy,
} from '../../../node/domain/provider-policy.ts'
import { GiB, MiB, minute } from '../../../node/domain/units.ts'
import { anOffer, bytes32Of, STRANGER } from '../../support/messages.ts'

const offered = anOffer()
const policy: ProviderPolicy = {
  kinds: ['wasm'],
  maxDiskBytes: {},
  images: { allow: [], deny: [] },
  requesters: { allow: [], deny: [] },
  egress: { allow: [], private: false },
  hours: [],
  pauseOnBattery: false,
  pauseWhenActiveMs: undefined,
  maxQueue: 10,
  terms: {
    pricing: 'posted',
    prices: { perTask: 10n, perCoreSecond: 1n, perGpuSecond: 0n, reservedSecondsCap: 60 },
    leastPrices: {},
  },
}
const quiet: Circumstances = {
  time: { weekday: 0, minute: 12 * 60 },
  isDiskFull: false,
  onBattery: false,
  idleMs: undefined,
  total: { cpuMillis: 4000, memoryBytes: 8 * GiB, diskBytes: 8 * GiB },
  gpus: [],
  waiting: 0,
  load: 0,
}
const night = [parseHours('22:00-06:00')].filter((window) => window !== undefined)
const names = (text: string) => [parsePattern(text)].filter((pattern) => pattern !== undefined)
const nvidia = { vendor: 'nvidia', memoryBytes: 16 * GiB }

interface Case {
  readonly what: string
  readonly offer?: Partial<Offer>
  readonly policy?: Partial<ProviderPolicy>
  readonly now?: Partial<Circumstances>
  readonly code: DeclineCode | undefined
  /** That a bid was made before does not change the answer. Default: true. */
  readonly atAward?: boolean
}

const cases: readonly Case[] = [
  { what: 'an offer that nothing speaks against', code: undefined },
  { what: 'a kind that it does not run', offer: { class: 'docker' }, code: 'DECLINED_KIND' },
  {
    what: 'a requester that is denied',
    policy: { requesters: { allow: [], deny: [offered.requester] } },
    code: 'DECLINED_REQUESTER',
  },
  {
    what: 'a requester that is not among the allowed',
    policy: { requesters: { allow: [STRANGER], deny: [] } },
    code: 'DECLINED_REQUESTER',
  },
  {
    what: 'a requester that is allowed',
    policy: { requesters: { allow: [STRANGER, offered.requester], deny: [] } },
    code: undefined,
  },
  {
    what: 'a program that is denied though it is allowed',
    policy: { images: { allow: [offered.image], deny: [offered.image] } },
    code: 'DECLINED_IMAGE',
  },
  {
    what: 'a program that is not among the allowed',
    policy: { images: { allow: [bytes32Of('77')], deny: [] } },
    code: 'DECLINED_IMAGE',
  },
  {
    what: 'a destination, where none is let through',
    offer: { egress: ['example.org:443'] },
    code: 'DECLINED_NETWORK',
  },
  {
    what: 'two destinations of which one is let through',
    offer: { egress: ['example.org:443', 'example.net:443'] },
    policy: { egress: { allow: names('example.org:443'), private: false } },
    code: 'DECLINED_NETWORK',
  },
  {
    what: 'a destination that is let through',
    offer: { egress: ['example.org:443'] },
    policy: { egress: { allow: names('example.org:443'), private: false } },
    code: undefined,
  },
  { what: 'a GPU, where there is none', offer: { gpus: 1 }, code: 'DECLINED_GPU' },
  {
    what: 'a GPU of another maker',
    offer: { gpus: 1, gpuVendor: 'amd' },
    now: { gpus: [nvidia], total: { ...quiet.total, gpus: 1 } },
    code: 'DECLINED_GPU',
  },
  {
    what: 'a GPU with more memory',
    offer: { gpus: 1, gpuMemoryBytes: 24 * GiB },
    now: { gpus: [nvidia], total: { ...quiet.total, gpus: 1 } },
    code: 'DECLINED_GPU',
  },
  {
    what: 'a GPU that it has but does not give to jobs',
    offer: { gpus: 1 },
    now: { gpus: [nvidia] },
    code: 'DECLINED_GPU',
  },
  {
    what: 'a GPU that it has',
    offer: { gpus: 1, gpuVendor: 'nvidia', gpuMemoryBytes: 16 * GiB },
    now: { gpus: [nvidia], total: { ...quiet.total, gpus: 1 } },
    code: undefined,
  },
  {
    what: 'more memory than jobs get',
    offer: { memoryBytes: 9 * GiB },
    code: 'DECLINED_RESOURCES',
  },
  {
    what: 'more disk than the engine of its kind gives a task',
    offer: { diskBytes: 2 * GiB },
    policy: { maxDiskBytes: { wasm: 1 * GiB } },
    code: 'DECLINED_RESOURCES',
  },
  {
    what: 'as much disk as the engine of its kind gives a task, and another gives less',
    offer: { diskBytes: 1 * GiB, maxPrice: 1000n },
    policy: { maxDiskBytes: { wasm: 1 * GiB, docker: 1 } },
    code: undefined,
  },
  { what: 'an hour of rest', policy: { hours: night }, code: 'DECLINED_HOURS' },
  {
    what: 'an hour of work',
    policy: { hours: night },
    now: { time: { weekday: 0, minute: 23 * 60 } },
    code: undefined,
  },
  {
    what: 'no room for records',
    now: { isDiskFull: true },
    code: 'DECLINED_DISK_FULL',
  },
  {
    what: 'a battery that counts',
    policy: { pauseOnBattery: true },
    now: { onBattery: true },
    code: 'DECLINED_POWER',
  },
  { what: 'a battery that does not count', now: { onBattery: true }, code: undefined },
  {
    what: 'a user just gone',
    policy: { pauseWhenActiveMs: 5 * minute },
    now: { idleMs: 5 * minute - 1 },
    code: 'DECLINED_IN_USE',
  },
  {
    what: 'a user long gone',
    policy: { pauseWhenActiveMs: 5 * minute },
    now: { idleMs: 5 * minute },
    code: undefined,
  },
  { what: 'a user who does not count', now: { idleMs: 0 }, code: undefined },
  {
    what: 'nobody ever seen',
    policy: { pauseWhenActiveMs: 5 * minute },
    now: { idleMs: undefined },
    code: undefined,
  },
  { what: 'a full queue', now: { waiting: 10 }, code: 'DECLINED_BUSY', atAward: false },
  {
    what: 'a price below the list',
    offer: { maxPrice: 39n },
    code: 'DECLINED_PRICE',
    atAward: false,
  },
  {
    what: 'a price below the least for its kind',
    offer: { maxPrice: 99n },
    policy: { terms: { ...policy.terms, leastPrices: { wasm: 100n, docker: 1n } } },
    code: 'DECLINED_PRICE',
    atAward: false,
  },
]

for (const { what, offer = {}, policy: will = {}, now = {}, code, atAward = true } of cases)
  test(`policy: ${what}: ${code ?? 'a bid'}`, () => {
    const args = [{ ...policy, ...will }, anOffer(offer), { ...quiet, ...now }] as const
    assert.equal(bidDecline(...args)?.code, code)
    assert.equal(awardDecline(...args)?.code, atAward ? code : undefined)
  })

test('policy: every code of a decline is reached, save those that another part of a node gives', () => {
  const elsewhere: DeclineCode[] = ['DECLINED_EXPOSURE', 'DECLINED_POLICY', 'DECLINED_STOPPING']
  const reached = new Set([...cases.map(({ code }) => code), ...elsewhere])
  assert.deepEqual(
    DECLINE_CODES.filter((code) => !reached.has(code)),
    [],
  )
})

test('policy: too large names the most that is taken, and its price', () => {
  const declined = bidDecline(policy, anOffer({ memoryBytes: 9 * GiB, cpuMillis: 8000 }), quiet)
  assert.deepEqual(declined?.most, { ...quiet.total, gpus: 0 })
  // 10 a task, 1 a core-second, for 30 s of the 4 cores that it has
  assert.equal(declined.lowestPrice, 130n)
})

test('policy: GPUs with too little memory: it names the most that so many of one maker have', () => {
  const gpus = [
    nvidia,
    { vendor: 'nvidia', memoryBytes: 40 * GiB },
    { vendor: 'amd', memoryBytes: 24 * GiB },
  ]
  const now = { ...quiet, gpus, total: { ...quiet.total, gpus: 3 } }
  const most = (count: number, gib: number, gpuVendor = '') => {
    const offer = anOffer({ gpus: count, gpuMemoryBytes: gib * GiB, gpuVendor })
    const { code, most: { gpus: few, gpuMemoryBytes } = {} } = bidDecline(policy, offer, now) ?? {}
    return [code, few, gpuMemoryBytes]
  }
  assert.deepEqual(most(2, 24), ['DECLINED_GPU', 2, 16 * GiB])
  assert.deepEqual(most(1, 80), ['DECLINED_GPU', 1, 40 * GiB])
  assert.deepEqual(most(1, 40, 'amd'), ['DECLINED_GPU', 1, 24 * GiB])
  assert.deepEqual(most(3, 1), ['DECLINED_GPU', 2, undefined], 'no less memory would do')
})

test('policy: too cheap names the price from which it is taken, and that price is taken', () => {
  const { lowestPrice = 0n } = bidDecline(policy, anOffer({ maxPrice: 1n }), quiet) ?? {}
  assert.equal(bidDecline(policy, anOffer({ maxPrice: lowestPrice }), quiet), undefined)
  assert.equal(
    bidDecline(policy, anOffer({ maxPrice: lowestPrice - 1n }), quiet)?.code,
    'DECLINED_PRICE',
  )
})

test('policy: who is not welcome hears that alone, and no value of the provider', () => {
  const denied = { requesters: { allow: [], deny: [offered.requester] } }
  const greedy = anOffer({ memoryBytes: 900 * GiB, maxPrice: 1n })
  const declined = bidDecline({ ...policy, ...denied }, greedy, { ...quiet, waiting: 99 })
  assert.deepEqual(declined, { code: 'DECLINED_REQUESTER' })
})

test('lists: a deny wins over an allow, whatever else is in them', () => {
  const entry = fc.constantFrom('a', 'b', 'c', 'd')
  const entries = fc.array(entry, { maxLength: 4 })
  fc.assert(
    fc.property(entries, entries, entry, (allow, deny, one) => {
      const admitted = admits({ allow, deny }, one)
      assert.equal(admitted, !deny.includes(one) && (allow.length === 0 || allow.includes(one)))
      assert.equal(admits({ allow, deny: [...deny, one] }, one), false)
    }),
  )
})

test('policy: a decline for size is true: the offer cut to what it names is not declined for size', () => {
  const bytes = fc.integer({ min: 1, max: 16 * 1024 }).map((mib) => mib * MiB)
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 16_000 }), bytes, bytes, (cpuMillis, memory, disk) => {
      const offer = anOffer({ cpuMillis, memoryBytes: memory, diskBytes: disk, maxPrice: 1n })
      const { code, most, lowestPrice } = bidDecline(policy, offer, quiet) ?? {}
      if (code !== 'DECLINED_RESOURCES') return
      assert.ok(most && lowestPrice)
      const cut = {
        cpuMillis: Math.min(cpuMillis, most.cpuMillis),
        memoryBytes: Math.min(memory, most.memoryBytes),
        diskBytes: Math.min(disk, most.diskBytes),
      }
      const again = anOffer({ ...cut, maxPrice: lowestPrice })
      assert.equal(bidDecline(policy, again, quiet), undefined)
    }),
  )
})
