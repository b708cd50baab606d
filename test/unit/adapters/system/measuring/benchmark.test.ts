import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createCapacityBenchmark } from '../../../../../node/adapters/system/capacity-benchmark.ts'
import { meterModule } from '../../../../../node/adapters/wasm/module/meter.ts'
import { cutFrom, FIGURES } from '../../../../../node/domain/capacity.ts'

const at = (path: string) => new URL(`../../../../../${path}`, import.meta.url)
const { signal } = new AbortController()

async function folder(): Promise<{ readonly dir: string } & AsyncDisposable> {
  const dir = await mkdtemp(join(tmpdir(), 'hive-bench-'))
  return { dir, [Symbol.asyncDispose]: async () => rm(dir, { recursive: true }) }
}

test('benchmark: its program is metered as the programs of jobs are', async () => {
  const program = await readFile(at('test/vectors/wasm/fuel.wasm'))
  const metered = await readFile(at('node/adapters/system/measuring/fuel.wasm'))
  assert.deepEqual(Buffer.from(meterModule(program, false)), metered)
})

test('benchmark: this machine has a figure for all that there was time for, and nothing is left behind', async () => {
  await using work = await folder()
  const score = await createCapacityBenchmark({ dir: work.dir, cores: 2 }).measure({ signal })
  const isCut = cutFrom(score).includes('fuelPerSecond')
  assert.ok(isCut || (score.fuelPerSecond ?? 0) > 1e8, JSON.stringify(score))
  assert.equal(Object.keys(score).length + cutFrom(score).length, FIGURES.length + 2)
  assert.deepEqual(await readdir(work.dir), [])
})

test('benchmark: a machine too slow for its time tells what it came to', async () => {
  await using work = await folder()
  const benchmark = createCapacityBenchmark({ dir: work.dir, cores: 1, budgetMs: 1 })
  const score = await benchmark.measure({ signal })
  assert.deepEqual(cutFrom(score), [...FIGURES])
})

test('benchmark: a folder that cannot be written is BENCHMARK_FAILED with the reason', async () => {
  const benchmark = createCapacityBenchmark({ dir: '/proc/none', cores: 1, budgetMs: 60_000 })
  await assert.rejects(benchmark.measure({ signal }), (error: unknown) => {
    const { code, data } = error as { code: string; data: { said: string } }
    assert.equal(code, 'BENCHMARK_FAILED')
    assert.match(data.said, /ENOENT/)
    return true
  })
})

test('benchmark: who gives up is told so', async () => {
  await using work = await folder()
  const stop = new AbortController()
  const measuring = createCapacityBenchmark({ dir: work.dir, cores: 1 }).measure(stop)
  stop.abort()
  await assert.rejects(measuring, { name: 'AbortError' })
})
