import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  MAX_BID_WINDOW_MS,
  MAX_CLOCK_SKEW_MS,
  MAX_TASK_TIMEOUT_MS,
  MAX_TASKS,
  needOf,
  offerFault,
  type Offer,
} from '../../../node/domain/offer.ts'
import { MAX_GPUS } from '../../../node/domain/gpu-need.ts'
import { anOffer, NOW } from '../../support/messages.ts'

type Told = readonly [code: string, verdict: string, rule: string]

function told(changes: Partial<Offer>, now = NOW): Told | undefined {
  const fault = offerFault(anOffer(changes), now, 'test')
  return fault && [fault.code, fault.verdict, fault.rule]
}

test('an offer that keeps every rule is taken', () => {
  assert.equal(told({}), undefined)
})

test('offers R2: an offer of another network is rejected', () => {
  assert.deepEqual(told({ network: 'tes' }), ['OFFER_OTHER_NETWORK', 'reject', 'R2'])
})

test('offers R3: a bid window is positive and at most the limit', () => {
  const bad = ['OFFER_INVALID', 'reject', 'R3']
  assert.equal(told({ bidsUntil: NOW + 1 }), undefined)
  assert.equal(told({ bidsUntil: NOW + MAX_BID_WINDOW_MS }), undefined)
  assert.deepEqual(told({ bidsUntil: NOW + MAX_BID_WINDOW_MS + 1 }), bad)
  assert.deepEqual(told({ bidsUntil: NOW }), bad)
  assert.deepEqual(told({ bidsUntil: NOW - 1 }), bad)
})

test('expired offer: refused at the deadline, taken right before it', () => {
  const { bidsUntil } = anOffer()
  assert.equal(told({}, bidsUntil - 1), undefined)
  assert.deepEqual(told({}, bidsUntil), ['OFFER_EXPIRED', 'ignore', 'R4'])
  assert.deepEqual(told({}, bidsUntil + 1), ['OFFER_EXPIRED', 'ignore', 'R4'])
})

test('offers R4: an offer dated ahead is taken within the clock skew, ignored beyond it', () => {
  const at = (issuedAt: number) => told({ issuedAt, bidsUntil: issuedAt + 1000 })
  assert.equal(at(NOW + MAX_CLOCK_SKEW_MS), undefined)
  assert.deepEqual(at(NOW + MAX_CLOCK_SKEW_MS + 1), ['OFFER_FROM_FUTURE', 'ignore', 'R4'])
})

test('offers R5: an offer has 1 to MAX_TASKS tasks', () => {
  const bad = ['OFFER_INVALID', 'reject', 'R5']
  assert.equal(told({ tasks: 1 }), undefined)
  assert.equal(told({ tasks: MAX_TASKS }), undefined)
  assert.deepEqual(told({ tasks: 0 }), bad)
  assert.deepEqual(told({ tasks: MAX_TASKS + 1 }), bad)
})

test('offers R6: a task asks for some CPU, some memory and a bounded time; disk may be none', () => {
  const bad = ['OFFER_INVALID', 'reject', 'R6']
  assert.equal(
    told({ cpuMillis: 1, memoryBytes: 1, diskBytes: 0, taskTimeoutMs: MAX_TASK_TIMEOUT_MS }),
    undefined,
  )
  assert.deepEqual(told({ cpuMillis: 0 }), bad)
  assert.deepEqual(told({ memoryBytes: 0 }), bad)
  assert.deepEqual(told({ taskTimeoutMs: 0 }), bad)
  assert.deepEqual(told({ taskTimeoutMs: MAX_TASK_TIMEOUT_MS + 1 }), bad)
})

test('offers R7: the price is above zero', () => {
  assert.equal(told({ maxPrice: 1n }), undefined)
  assert.deepEqual(told({ maxPrice: 0n }), ['OFFER_INVALID', 'reject', 'R7'])
})

test('what a task needs is what the offer says of it', () => {
  const { cpuMillis, memoryBytes, diskBytes } = anOffer()
  assert.deepEqual(needOf(anOffer()), { cpuMillis, memoryBytes, diskBytes })
})

test('what a task needs counts its GPUs, and only when it asks for one', () => {
  assert.equal(needOf(anOffer({ gpus: 2 })).gpus, 2)
  assert.equal('gpus' in needOf(anOffer()), false)
})

test('offers R9: what it wants to reach is written in the one spelling', () => {
  const bad = ['OFFER_INVALID', 'reject', 'R9']
  assert.equal(told({ egress: ['example.org:443', '[2001:db8::1]:53'] }), undefined)
  for (const egress of ['example.org', 'Example.org:443', 'example.org.:443', '*:443', ''])
    assert.deepEqual(told({ egress: [egress] }), bad, egress)
})

test('offers R10: it asks for GPUs of a known maker, no more than a machine has', () => {
  const bad = ['OFFER_INVALID', 'reject', 'R10']
  assert.equal(told({ gpus: MAX_GPUS, gpuVendor: 'amd', gpuMemoryBytes: 1 }), undefined)
  assert.deepEqual(told({ gpus: MAX_GPUS + 1 }), bad)
  assert.deepEqual(told({ gpus: 1, gpuVendor: 'NVIDIA' }), bad)
})

test('offers R12: use is paid in a known unit, fuel under a limit, and neither by the second nor with GPUs', () => {
  const bad = ['OFFER_INVALID', 'reject', 'R12']
  assert.equal(told({ payPer: 'cpu' }), undefined)
  assert.equal(told({ payPer: 'fuel', fuel: 1 }), undefined)
  assert.equal(told({ payPer: 'task', gpus: 1 }), undefined)
  assert.deepEqual(told({ payPer: 'fuel' }), bad)
  for (const payPer of ['', 'second', 'CPU']) assert.deepEqual(told({ payPer }), bad, payPer)
  assert.deepEqual(told({ payPer: 'cpu', payEveryMs: 1000 }), bad)
  assert.deepEqual(told({ payPer: 'cpu', gpus: 1 }), bad)
})
