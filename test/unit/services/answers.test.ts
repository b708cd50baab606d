import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HiveError } from '../../../node/domain/errors.ts'
import {
  answersOf,
  isTelling,
  unplacedError,
  withAnswers,
} from '../../../node/services/requester/answers.ts'
import type { BiddingOutcome } from '../../../node/services/requester/open-offer.ts'
import type { JobRecord } from '../../../node/services/requester/records.ts'
import { aRequest, TestMarket } from '../../support/test-market.ts'
import { bytes32Of, SOME_CID } from '../../support/messages.ts'

const outcome: BiddingOutcome = {
  bids: [],
  declines: {
    a: { code: 'DECLINED_BUSY' },
    b: { code: 'DECLINED_PRICE', lowestPrice: 7n },
    c: { code: 'DECLINED_BUSY' },
  },
  asked: 5,
  listeners: 40,
  silent: 2,
}
const nothing: BiddingOutcome = { bids: [], declines: {}, asked: 1, listeners: 1, silent: 0 }
const counts = { at: 1, tasks: 4, placed: 0 }

test('answers: counted by what was said, without names', () => {
  const answers = answersOf(outcome, [new HiveError('BID_EXPIRED'), new Error('x')], counts)
  assert.deepEqual(answers, {
    at: 1,
    tasks: 4,
    placed: 0,
    asked: 5,
    listeners: 40,
    silent: 2,
    bids: 0,
    declines: [
      { code: 'DECLINED_BUSY', count: 2 },
      { code: 'DECLINED_PRICE', lowestPrice: 7n, count: 1 },
    ],
    refusals: [
      { code: 'BID_EXPIRED', count: 1 },
      { code: 'INTERNAL', count: 1 },
    ],
  })
  const { code, data } = unplacedError(answers, 0)
  assert.equal(code, 'NO_BIDS')
  assert.deepEqual([data['declined'], data['asked'], data['silent']], [5, 5, 2])
  assert.deepEqual(data['reasons'], ['DECLINED_BUSY', 'DECLINED_PRICE', 'BID_EXPIRED', 'INTERNAL'])
})

test('answers: kept only where somebody said no or tasks were left', () => {
  assert.equal(isTelling(answersOf(nothing, [], { ...counts, placed: 4 })), false)
  assert.equal(isTelling(answersOf(nothing, [], counts)), true)
  assert.equal(isTelling(answersOf(outcome, [], { ...counts, placed: 4 })), true)
})

test('answers: of a job with many offers the last eight, the newest last', async () => {
  const member = new TestMarket().member()
  const job: JobRecord = {
    id: bytes32Of('0b'),
    state: 'offered',
    request: await aRequest(member, {}),
    specCid: SOME_CID,
    createdAt: 0,
    offers: [],
    shares: [],
    results: [],
  }
  const offers = Array.from({ length: 20 }, (_, at) => answersOf(outcome, [], { ...counts, at }))
  const { answers = [] } = offers.reduce<JobRecord>(withAnswers, job)
  assert.deepEqual(
    answers.map(({ at }) => at),
    [12, 13, 14, 15, 16, 17, 18, 19],
  )
})
