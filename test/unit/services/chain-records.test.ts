import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HiveError } from '../../../node/domain/errors.ts'
import type { Address } from '../../../node/domain/ids.ts'
import { second } from '../../../node/domain/units.ts'
import type { AccountRecord } from '../../../node/ports/escrow.ts'
import { ChainRecords, FRESH_MS } from '../../../node/services/chain-records.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { REQUESTER } from '../../support/messages.ts'
import { quietLogger } from '../../support/quiet-logger.ts'

const { signal } = new AbortController()
const RECORD: AccountRecord = { feesPaid: 0n, faults: 1, firstSeen: 1_700_000_000 }

/** Records read over an endpoint that does as it is told. */
function records(max?: number) {
  const clock = new ManualClock()
  const endpoint = { asked: 0, answer: async (): Promise<AccountRecord> => RECORD }
  const escrow = {
    record: async () => {
      endpoint.asked++
      return endpoint.answer()
    },
  }
  return {
    clock,
    endpoint,
    records: new ChainRecords({ clock, logger: quietLogger([]), escrow }, max),
  }
}

test('a record is read once while it is fresh, also by several at a time', async () => {
  const { clock, endpoint, records: read } = records()
  assert.equal(read.known(REQUESTER), undefined)
  const all = await Promise.all([read.of(REQUESTER, signal), read.of(REQUESTER, signal)])
  assert.deepEqual(all, [RECORD, RECORD])
  await clock.advance(FRESH_MS - 1)
  assert.deepEqual(await read.of(REQUESTER, signal), RECORD)
  assert.equal(endpoint.asked, 1)
  await clock.advance(1)
  await read.of(REQUESTER, signal)
  assert.equal(endpoint.asked, 2)
})

test('an endpoint that fails says nothing about an account, and is not asked again at once', async () => {
  const { clock, endpoint, records: read } = records()
  endpoint.answer = async () => {
    throw new HiveError('CHAIN_UNREACHABLE')
  }
  assert.equal(await read.of(REQUESTER, signal), undefined)
  assert.equal(await read.of(REQUESTER, signal), undefined)
  assert.equal(endpoint.asked, 1)
  endpoint.answer = async () => RECORD
  await clock.advance(30 * second)
  assert.deepEqual(await read.of(REQUESTER, signal), RECORD)
})

test('an endpoint that fails later does not make a node forget what it read', async () => {
  const { clock, endpoint, records: read } = records()
  await read.of(REQUESTER, signal)
  await clock.advance(FRESH_MS)
  endpoint.answer = async () => {
    throw new HiveError('CHAIN_ANSWER_INVALID')
  }
  assert.deepEqual(await read.of(REQUESTER, signal), RECORD)
})

test('an endpoint that hangs is not waited for', async () => {
  const { clock, endpoint, records: read } = records()
  endpoint.answer = () => new Promise<never>((_, reject) => void hanging.push(reject))
  const hanging: ((error: Error) => void)[] = []
  const asked = read.of(REQUESTER, signal)
  await clock.advance(2 * second)
  for (const reject of hanging) reject(new HiveError('CANCELLED'))
  assert.equal(await asked, undefined)
})

test('no more accounts are remembered than there is room for, and those asked for of late stay', async () => {
  const { clock, endpoint, records: read } = records(3)
  const account = (at: number): Address => `0x${at.toString(16).padStart(40, '0')}`
  for (const at of [0, 1, 2]) await read.of(account(at), signal)
  await clock.advance(FRESH_MS)
  for (const at of [0, 3]) await read.of(account(at), signal)
  assert.equal(endpoint.asked, 5)
  assert.equal(read.known(account(1)), undefined)
  for (const at of [0, 2, 3]) assert.deepEqual(read.known(account(at)), RECORD)
})
