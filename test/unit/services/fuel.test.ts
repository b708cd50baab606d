import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Sandbox, SandboxTask } from '../../../node/ports/sandbox.ts'
import { createFakeSandbox } from '../../support/fake-sandbox.ts'
import { aRequest, finished, TestMarket } from '../../support/test-market.ts'

const { signal } = new AbortController()

/** What a provider's sandbox is given for a job of this spec, and what the requester hears of it. */
async function given(spec: { fuel?: number; deterministic?: boolean; tasks?: number }) {
  const market = new TestMarket()
  const alice = market.member()
  const tasks: SandboxTask[] = []
  const sandbox = createFakeSandbox()
  const spy: Sandbox = {
    ...sandbox,
    run: async (task, options) => {
      tasks.push(task)
      const result = await sandbox.run(task, options)
      const { fuel } = task.limits
      return fuel === undefined ? result : { ...result, usage: { ...result.usage, fuel: fuel - 1 } }
    },
  }
  await using requester = await market.requester(alice)
  await using _ = await market.provider(market.member(), {}, { sandboxes: [spy] })
  const request = await aRequest(alice, { stdout: 'fine' }, { spec })
  const { id } = await requester.submit(request, signal)
  return { tasks, done: await finished(requester, id) }
}

test('fuel of a spec is a limit of its tasks, and what was used is in the result', async () => {
  const { tasks, done } = await given({ fuel: 5_000_000_000 })
  assert.deepEqual([tasks[0]?.limits.fuel, tasks[0]?.seed], [5_000_000_000, undefined])
  assert.equal(done.results[0]?.usage.fuel, 4_999_999_999)
})

test('deterministic tasks get a seed each; others get none, and tell no fuel', async () => {
  const seeds = ({ tasks }: { tasks: readonly SandboxTask[] }) =>
    tasks.map(({ seed }) => Buffer.from(seed ?? []).toString('hex')).toSorted()
  const fixed = await given({ deterministic: true, tasks: 3 })
  assert.equal(new Set(seeds(fixed)).size, 3)
  for (const seed of seeds(fixed)) assert.match(seed, /^[0-9a-f]{64}$/)
  const plain = await given({ tasks: 2 })
  assert.deepEqual(seeds(plain), ['', ''])
  assert.equal(plain.done.results[0]?.usage.fuel, undefined)
})
