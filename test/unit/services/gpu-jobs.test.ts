import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { GpuNeed, GpuVendor } from '../../../node/domain/gpu-need.ts'
import type { LocalGpu } from '../../../node/domain/gpu-share.ts'
import { GiB, second } from '../../../node/domain/units.ts'
import type { Sandbox } from '../../../node/ports/sandbox.ts'
import { createFakeSandbox } from '../../support/fake-sandbox.ts'
import { aRequest, finished, TASK_PRICE, TestMarket } from '../../support/test-market.ts'

const { signal } = new AbortController()
const DEVICES: readonly LocalGpu[] = ['GPU-0', 'GPU-1'].map((id) => ({
  vendor: 'nvidia',
  id,
  memoryBytes: 80 * GiB,
}))

/** A fake engine for images that hands out GPUs, and keeps which tasks had which, at the most at a time. */
function gpuSandbox(gpuVendors: readonly GpuVendor[]) {
  const fake = createFakeSandbox('docker')
  const inUse = new Map<string, number>()
  const given: string[][] = []
  let most = 0
  const sandbox: Sandbox = {
    ...fake,
    gpuVendors,
    run: async (task, options) => {
      const ids = task.gpus?.map(({ id }) => id) ?? []
      given.push(ids)
      for (const id of ids) inUse.set(id, (inUse.get(id) ?? 0) + 1)
      most = Math.max(most, ...inUse.values())
      try {
        return await fake.run(task, options)
      } finally {
        for (const id of ids) inUse.set(id, (inUse.get(id) ?? 0) - 1)
      }
    },
  }
  return { sandbox, given, most: () => most }
}

/** A job of `tasks` tasks with GPUs, run to its end on a machine with two of NVIDIA's. */
async function ran(
  tasks: number,
  gpus: GpuNeed,
  share?: number,
  vendors: GpuVendor[] = ['nvidia'],
) {
  const market = new TestMarket()
  const alice = market.member()
  const engine = gpuSandbox(vendors)
  const resources = { cpuMillis: 16_000, memoryBytes: 16 * GiB, diskBytes: 16 * GiB }
  const prices = {
    perTask: TASK_PRICE,
    perCoreSecond: 0n,
    perGpuSecond: 1n,
    reservedSecondsCap: 60,
  }
  await using requester = await market.requester(alice)
  await using provider = await market.provider(
    market.member(),
    { resources, prices, gpus: { devices: DEVICES, ...(share !== undefined && { share }) } },
    { sandboxes: [engine.sandbox] },
  )
  const spec = { kind: 'docker', tasks, gpus, timeoutMs: 30 * second } as const
  const request = await aRequest(alice, { sleepMs: 20 }, { spec, bidWindowMs: 300 })
  const { id } = await requester.submit(request, signal)
  const job = await finished(requester, id)
  return { engine, job, works: await provider.works.all() }
}

test('tasks with GPUs: each has its own, one after another on the same, and the price counts them', async () => {
  const { engine, job, works } = await ran(6, { count: 1, vendor: 'nvidia', memoryBytes: 40 * GiB })
  assert.equal(job.state, 'settled')
  assert.equal(engine.given.length, 6)
  assert.deepEqual(new Set(engine.given.flat()), new Set(['GPU-0', 'GPU-1']))
  assert.equal(engine.most(), 1)
  assert.deepEqual(
    works.map(({ price }) => price),
    [6n * (TASK_PRICE + 30n)],
  )
})

test('tasks with GPUs: two at a time have one where the policy shares it in two', async () => {
  const { engine, job } = await ran(6, { count: 2 }, 2)
  assert.equal(job.state, 'settled')
  assert.deepEqual(
    engine.given.map((ids) => ids.length),
    [2, 2, 2, 2, 2, 2],
  )
  assert.equal(engine.most(), 2)
})

for (const [name, gpus, share, vendors] of [
  ['more than the machine has', { count: 3 }, 1, ['nvidia']],
  ['of another maker', { count: 1, vendor: 'amd' }, 1, ['nvidia', 'amd']],
  ['with more memory', { count: 1, memoryBytes: 81 * GiB }, 1, ['nvidia']],
  [
    'with more memory than each part of a shared one',
    { count: 1, memoryBytes: 41 * GiB },
    2,
    ['nvidia'],
  ],
  ['where the engine can pass none on', { count: 1 }, 1, []],
] as const) {
  test(`GPUs that can never be had are declined by name: ${name}`, async () => {
    const { engine, job } = await ran(1, gpus, share, [...vendors])
    assert.deepEqual([job.state, job.error?.code], ['failed', 'NO_BIDS'])
    assert.equal(engine.given.length, 0)
    const declines = job.answers?.flatMap((answers) => answers.declines.map(({ code }) => code))
    assert.deepEqual(declines, ['DECLINED_GPU'])
  })
}
