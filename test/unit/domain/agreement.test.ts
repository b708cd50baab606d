import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  agreementFault,
  type Agreement,
  type AgreementContext,
  type ChannelView,
} from '../../../node/domain/agreement.ts'
import {
  anAgreement,
  anAward,
  bytes32Of,
  NOW,
  NOW_S,
  PROVIDER,
  REQUESTER,
  STRANGER,
} from '../../support/messages.ts'

const CHANNEL: ChannelView = {
  requester: REQUESTER,
  provider: PROVIDER,
  requesterSigner: REQUESTER,
  providerSigner: PROVIDER,
  deposit: 900n,
  settled: 0n,
  bond: 50n,
  open: true,
}
const CONTEXT: AgreementContext = {
  requester: REQUESTER,
  provider: PROVIDER,
  offerSpec: bytes32Of('5e'),
  offerTasks: 4,
  mayTakeMs: 0,
  bidPrice: 100n,
  bidValidUntil: NOW,
  channel: CHANNEL,
  committed: 500n,
  lastSeq: 2,
  maxCaseBond: 7n,
  inputHash: bytes32Of('1f'),
  now: NOW,
}

const told = (
  agreement: Partial<Agreement>,
  context: Partial<AgreementContext> = {},
  tasks: readonly number[] = [0, 1, 5, 9],
) => agreementFault(anAgreement(agreement), anAward({ tasks }), { ...CONTEXT, ...context })
const toldOfChannel = (channel: Partial<ChannelView>, agreement: Partial<Agreement> = {}) =>
  told(agreement, { channel: { ...CHANNEL, ...channel } })

test('an agreement that follows from offer, bid and channel is signed', () => {
  assert.equal(told({}), undefined)
})

test('agreements R1: the channel is open and belongs to exactly this pair and their keys', () => {
  assert.equal(toldOfChannel({ open: false }), 'R1')
  assert.equal(toldOfChannel({ requester: STRANGER }), 'R1')
  assert.equal(toldOfChannel({ provider: STRANGER }), 'R1')
  assert.equal(toldOfChannel({ requesterSigner: STRANGER }), 'R1')
  assert.equal(toldOfChannel({ providerSigner: STRANGER }), 'R1')
})

test('agreements R2: the spec is the offer’s, the input commits to the task list', () => {
  assert.equal(told({ spec: bytes32Of('00') }), 'R2')
  assert.equal(told({ input: bytes32Of('00') }), 'R2')
})

test('agreements R3: tasks are ascending, without doubles, and as many as agreed', () => {
  assert.equal(told({}, {}, [0, 1, 5]), 'R3')
  assert.equal(told({}, {}, [0, 1, 5, 9, 10]), 'R3')
  assert.equal(told({}, {}, [0, 1, 1, 9]), 'R3')
  assert.equal(told({}, {}, [0, 5, 1, 9]), 'R3')
  assert.equal(told({ tasks: 0, price: 0n }, {}, []), 'R3')
  assert.equal(told({ tasks: 1, price: 100n }, {}, [0]), undefined)
  assert.equal(told({}, { offerTasks: 3 }), 'R3')
})

test('agreements R4: the price is the bid’s, for every task', () => {
  assert.equal(told({ price: 399n }), 'R4')
  assert.equal(told({ price: 401n }), 'R4')
})

test('agreements R5: a bid stands up to and at its last moment', () => {
  assert.equal(told({}, { bidValidUntil: NOW }), undefined)
  assert.equal(told({}, { bidValidUntil: NOW - 1 }), 'R5')
})

test('agreements R6: a sequence number is never signed twice', () => {
  assert.equal(told({ seq: 2 }), 'R6')
  assert.equal(told({ seq: 1 }), 'R6')
  assert.equal(told({ seq: 40 }), undefined)
})

test('agreements R7: what will be owed covers all that is committed, and this price', () => {
  assert.equal(told({ owedAfter: 899n }), 'R7')
  assert.equal(told({}, { committed: 501n }), 'R7')
})

test('agreements R8: the deposit covers what will be owed', () => {
  assert.equal(toldOfChannel({ deposit: 899n }), 'R8')
  assert.equal(toldOfChannel({ deposit: 10_000n }, { owedAfter: 10_000n }), undefined)
  assert.equal(toldOfChannel({ deposit: 9999n }, { owedAfter: 10_000n }), 'R8')
})

test('agreements R9: the bond covers the stake', () => {
  assert.equal(told({ stake: 50n }), undefined)
  assert.equal(told({ stake: 51n }), 'R9')
})

test('agreements R10: the times are in order, and the start is not behind us', () => {
  assert.equal(told({ startBy: NOW_S, finishBy: NOW_S, disputeUntil: NOW_S }), undefined)
  assert.equal(told({ startBy: NOW_S - 1 }), 'R10')
  assert.equal(told({ startBy: NOW_S + 601 }), 'R10')
  assert.equal(told({ finishBy: NOW_S + 6001 }), 'R10')
})

test('agreements R11: the deadline leaves every task its time', () => {
  assert.equal(told({}, { mayTakeMs: 600_000 }), undefined)
  assert.equal(told({}, { mayTakeMs: 600_001 }), 'R11')
})

test('agreements R12: a case costs no more than the provider is ready to post', () => {
  assert.equal(told({ caseBond: 7n }), undefined)
  assert.equal(told({ caseBond: 8n }), 'R12')
})
