import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { Value } from 'typebox/value'
import { PricesBody } from '../../../node/api/schemas/prices.ts'
import { QuoteBody } from '../../../node/api/schemas/quotes.ts'
import { fakeImage } from '../../support/fake-script.ts'
import { openTestApi } from '../../support/test-api.ts'
import { testCli } from '../../support/test-cli.ts'
import { TASK_PRICE } from '../../support/test-market.ts'

/** A command line beside a node with as many providers around, with `p.wasm` at hand. */
async function beside(providers: number) {
  const stack = new AsyncDisposableStack()
  const it = stack.use(await openTestApi({ providers }))
  const cwd = await mkdtemp(join(tmpdir(), 'hive-prices-'))
  stack.defer(() => rm(cwd, { recursive: true }))
  await writeFile(join(cwd, 'p.wasm'), fakeImage({ stdout: 'said' }))
  const run = async (...args: string[]) => {
    const cli = testCli({ dataDir: it.dataDir, cwd })
    const code = await cli.run(...args)
    return { code, said: cli.stdout.text, error: cli.stderr.text }
  }
  return { it, run, [Symbol.asyncDispose]: async () => stack.disposeAsync() }
}

test('quote: what a job would cost, from the bids for it; afterwards there is no job', async () => {
  await using on = await beside(2)
  const { code, said } = await on.run('quote', 'p.wasm', '--tasks', '4', '--bids', '2', '--json')
  assert.equal(code, 0)
  const quote: unknown = JSON.parse(said)
  assert.ok(Value.Check(QuoteBody, quote), said)
  assert.deepEqual(
    [quote.tasks, quote.placed, quote.bids, quote.total],
    [4, 4, 2, (4n * TASK_PRICE).toString()],
  )
  assert.deepEqual(await on.it.requester.book.list(), [])
  const forPeople = await on.run('quote', 'p.wasm')
  assert.match(forPeople.said, /0\.001/)
})

test('quote: a workflow is refused in words, and a program that is not there too', async () => {
  await using on = await beside(0)
  await writeFile(join(on.it.dataDir, 'w.yaml'), 'steps: { one: { program: p.wasm } }\n')
  const refused = await on.run('quote', join(on.it.dataDir, 'w.yaml'), '--json')
  assert.notEqual(refused.code, 0)
  assert.match(refused.error, /INPUT_INVALID/)
  assert.notEqual((await on.run('quote', 'missing.wasm')).code, 0)
})

test('prices: what was asked and offered by class and hour, after a quote and a job', async () => {
  await using on = await beside(1)
  assert.match((await on.run('prices')).said, /No price/)
  await on.run('quote', 'p.wasm')
  assert.equal((await on.run('run', 'p.wasm')).code, 0)
  const { said } = await on.run('prices', 'wasm', '--json')
  const body: unknown = JSON.parse(said)
  assert.ok(Value.Check(PricesBody, body), said)
  // the test may run over the turn of an hour
  const counts = new Map<string, number>()
  for (const { tallies } of body.hours)
    for (const { source, count } of tallies) counts.set(source, (counts.get(source) ?? 0) + count)
  assert.deepEqual(Object.fromEntries(counts), { limit: 2, bid: 2, agreed: 1 })
  assert.ok(body.hours.every(({ class: name, per }) => name === 'wasm' && per === 'core-second'))
  assert.match((await on.run('prices')).said, /wasm +core-second +bid/)
  assert.deepEqual(JSON.parse((await on.run('prices', 'docker', '--json')).said), { hours: [] })
})

test('prices: a time that is not kept is refused', async () => {
  await using on = await beside(0)
  const { code, error } = await on.run('prices', '--last', '90d', '--json')
  assert.notEqual(code, 0)
  assert.match(error, /INPUT_INVALID/)
})
