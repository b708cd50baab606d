import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { Value } from 'typebox/value'
import { WhyBody } from '../../../node/api/schemas/why.ts'
import type { JobBody } from '../../../node/api/schemas/jobs.ts'
import { GiB } from '../../../node/domain/units.ts'
import type { ProviderOptions } from '../../../node/services/provider/provider-options.ts'
import { fakeImage } from '../../support/fake-script.ts'
import { openTestApi } from '../../support/test-api.ts'
import { testCli } from '../../support/test-cli.ts'
import { TASK_PRICE } from '../../support/test-market.ts'

/** A command line beside a node whose network has these providers, each with `p.wasm` at hand. */
async function among(...providers: readonly Partial<ProviderOptions>[]) {
  const stack = new AsyncDisposableStack()
  const it = stack.use(await openTestApi({ providers: 0 }))
  for (const options of providers) stack.use(await it.market.provider(it.market.member(), options))
  const cwd = await mkdtemp(join(tmpdir(), 'hive-why-'))
  stack.defer(() => rm(cwd, { recursive: true }))
  await writeFile(join(cwd, 'p.wasm'), fakeImage({ stdout: 'said' }))
  const hive = () => testCli({ dataDir: it.dataDir, cwd })
  /** Runs a job of 3 GiB and returns the id it got. */
  const run = async (cli: ReturnType<typeof hive>, ...flags: string[]) => {
    const code = await cli.run('run', 'p.wasm', '--memory', '3GiB', '--bid-window', '2s', ...flags)
    const [job] = await it.requester.book.list()
    return { code, id: job?.id ?? '' }
  }
  const why = async (id: string) => {
    const cli = hive()
    assert.equal(await cli.run('why', id, '--json'), 0, cli.stderr.text)
    const body: unknown = JSON.parse(cli.stdout.text)
    assert.ok(Value.Check(WhyBody, body), cli.stdout.text)
    return body
  }
  return { it, hive, run, why, [Symbol.asyncDispose]: async () => stack.disposeAsync() }
}

const room = (memoryBytes: number) => ({
  resources: { cpuMillis: 2000, memoryBytes, diskBytes: 2 * GiB },
})

test('why: what each provider said, counted, and the change that would bring bids', async () => {
  await using on = await among(room(2 * GiB), room(2 * GiB), { ...room(4 * GiB), maxQueue: 0 })
  const cli = on.hive()
  const { code, id } = await on.run(cli)
  assert.equal(code, 125)
  const { answers, whatIf, error } = await on.why(id)
  assert.equal(error?.code, 'NO_BIDS')
  const [last] = answers
  assert.deepEqual([last?.asked, last?.silent, last?.bids, last?.placed], [3, 0, 0, 0])
  assert.deepEqual(
    last?.declines.map((row) => [row.count, row.code, row.most?.memoryBytes, row.lowestPrice]),
    [
      [2, 'DECLINED_RESOURCES', 2 * GiB, TASK_PRICE.toString()],
      [1, 'DECLINED_BUSY', undefined, undefined],
    ],
  )
  assert.deepEqual(whatIf, [{ change: { memoryBytes: 2 * GiB }, bids: 2 }])
})

test('why: run and why say the same to people, before the error and on its own', async () => {
  await using on = await among(room(2 * GiB))
  const ran = on.hive()
  const { id } = await on.run(ran)
  const asked = on.hive()
  assert.equal(await asked.run('why', id.slice(0, 10)), 0)
  const said = asked.stdout.text
  assert.match(said, /1 node asked: 0 bids, 1 declined\.\n/)
  assert.match(said, /1 +DECLINED_RESOURCES .*At most 2 cores, 2\.0 GiB of memory/)
  assert.match(said, /with 2\.0 GiB of memory instead of 3\.0 GiB: 1 bid\n/)
  assert.ok(ran.stderr.text.includes(said.trimEnd()))
  assert.ok(ran.stderr.text.indexOf('What if') < ran.stderr.text.indexOf('error NO_BIDS'))
  const shown = on.hive()
  assert.equal(await shown.run('job', id), 0)
  assert.match(shown.stdout.text, /declined +1 x DECLINED_RESOURCES; `hive why 0x/)
})

test('why: a run for machines has no such text', async () => {
  await using on = await among(room(2 * GiB))
  const cli = on.hive()
  await on.run(cli, '--json')
  assert.equal(cli.stderr.text.trim().split('\n').length, 1)
  assert.doesNotMatch(cli.stdout.text, /What if/)
})

test('why: the change that it names does bring the bids', async () => {
  await using on = await among(room(2 * GiB), {
    ...room(4 * GiB),
    policy: { leastPrices: { wasm: 500n * TASK_PRICE } },
  })
  const { id } = await on.run(on.hive())
  const { whatIf } = await on.why(id)
  assert.deepEqual(
    whatIf.map(({ change, bids }) => [change.memoryBytes, change.maxPrice, bids]),
    [
      [undefined, (500n * TASK_PRICE).toString(), 1],
      [2 * GiB, undefined, 1],
      [2 * GiB, (500n * TASK_PRICE).toString(), 2],
    ],
  )
  assert.equal((await on.run(on.hive(), '--max-price', '0.5')).code, 0)
})

test('why: an offer that reached nobody says so, and where to look', async () => {
  await using on = await among()
  const cli = on.hive()
  const { id } = await on.run(cli, '--bid-window', '500ms')
  assert.match(cli.stderr.text, /reached nobody[\s\S]*hive peers --need kind=wasm/)
  const { answers, connected } = await on.why(id)
  assert.deepEqual([answers[0]?.asked, answers[0]?.declines], [0, []])
  assert.deepEqual(connected, { nodes: 0, kinds: {} })
  assert.match(cli.stderr.text, /No node is connected now/)
})

test('why: nodes that hear an offer and keep silent are counted as silent', async () => {
  await using on = await among()
  const { node } = on.it.market.member()
  const topic = '/computehive/test/offers/wasm'
  const { signal } = new AbortController()
  node.gossip.subscribe(topic, { maxBytes: 4096, perMinute: 1000, signal }, () => 'accept')
  const cli = on.hive()
  await on.run(cli, '--bid-window', '500ms')
  assert.match(cli.stderr.text, /1 node asked: 0 bids, 0 declined, 1 silent/)
})

test('why: a job that nobody declined has nothing to explain; one that some declined keeps what they said', async () => {
  await using smooth = await among(room(4 * GiB))
  const first = await smooth.run(smooth.hive())
  assert.equal(first.code, 0)
  assert.deepEqual((await smooth.why(first.id)).answers, [])
  const cli = smooth.hive()
  await cli.run('why', first.id)
  assert.match(cli.stdout.text, /Nobody has declined/)
  await using rough = await among(room(4 * GiB), { maxQueue: 0 })
  const second = await rough.run(rough.hive(), '--memory', '64MiB')
  assert.equal(second.code, 0)
  const body = (await (await rough.it.call(`/v1/jobs/${second.id}`)).json()) as JobBody
  const [last] = body.answers ?? []
  assert.deepEqual([last?.placed, last?.bids, last?.declines[0]?.code], [1, 1, 'DECLINED_BUSY'])
})

test('why: tasks that the budget does not pay for are counted, and it says what to raise', async () => {
  await using on = await among(room(4 * GiB))
  const cli = on.hive()
  const { code, id } = await on.run(cli, '--tasks', '3', '--budget', '0.002')
  assert.equal(code, 125)
  assert.match(cli.stderr.text, /JOB_BUDGET[\s\S]*hive extend JOB --budget/)
  const { answers } = await on.why(id)
  assert.deepEqual(answers[0]?.unplaced, { code: 'JOB_BUDGET', tasks: 1 })
  const why = on.hive()
  assert.equal(await why.run('why', id), 0)
  assert.match(why.stdout.text, /1 of 3 tasks found no place\.\n1 task: JOB_BUDGET\. What is left/)
  const quote = on.hive()
  assert.equal(await quote.run('quote', 'p.wasm', '--tasks', '3', '--budget', '0.001'), 0)
  assert.match(quote.stdout.text, /2 tasks would find no place\.\n2 tasks: JOB_BUDGET\./)
})

test('why: an unknown job is told as such', async () => {
  await using on = await among()
  const cli = on.hive()
  assert.equal(await cli.run('why', '0xabcdef', '--json'), 1)
  assert.match(cli.stderr.text, /JOB_UNKNOWN/)
})
