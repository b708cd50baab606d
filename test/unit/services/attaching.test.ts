import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JobSpec } from '../../../node/domain/job-spec.ts'
import { Attaching } from '../../../node/services/requester/attaching.ts'
import { aRequest, started, TestMarket } from '../../support/test-market.ts'

const { signal } = new AbortController()
const SHELL = { command: ['sh'], env: {} }

/** A job under way, and how ways into it are refused. */
async function refusals(spec: Partial<JobSpec>): Promise<unknown[]> {
  const market = new TestMarket()
  const alice = market.member()
  await using requester = await market.requester(alice)
  await using _ = await market.provider(market.member())
  const attaching = new Attaching({ book: requester.book, lines: alice.node.requests })
  const { id: job } = await requester.submit(
    await aRequest(alice, { spin: true }, { spec }),
    signal,
  )
  await started(requester)
  const codes = await Promise.all(
    [
      async () => attaching.exec({ job, task: 0 }, SHELL, signal),
      async () => attaching.forward({ job, task: 0 }, 80, signal),
      async () => attaching.forward({ job, task: 0 }, 0, signal),
    ].map(async (way) =>
      way().then(
        () => 'open',
        (error: { code?: unknown }) => error.code,
      ),
    ),
  )
  await requester.cancel(job)
  return codes
}

test('attaching: there is no way into a module, and its requester hears it before its provider', async () => {
  const no = 'ATTACH_UNSUPPORTED'
  assert.deepEqual(await refusals({}), [no, no, 'INPUT_INVALID'])
})

test('attaching: a deterministic job is not entered', async () => {
  const no = 'ATTACH_DETERMINISTIC'
  assert.deepEqual(await refusals({ deterministic: true }), [no, no, 'INPUT_INVALID'])
})
