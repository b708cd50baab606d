import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CappedOutput } from '../../../../node/adapters/confinement/capped-output.ts'
import type { Metered } from '../../../../node/adapters/confinement/cgroup-meter.ts'
import { finished, type RunEnd } from '../../../../node/adapters/confinement/task-result.ts'
import { MiB } from '../../../../node/domain/units.ts'
import { anImageTask } from './an-image-task.ts'

const task = anImageTask()
const LIMIT = task.limits.memoryBytes

function result(end: Partial<RunEnd>, metered: Partial<Metered>) {
  const output = new CappedOutput(0, { onOutput: () => undefined, onFull: () => undefined })
  return finished(
    task,
    { cut: undefined, status: 137, wasOutOfMemory: undefined, wallMs: 1, output, ...end },
    { files: [], fault: '', isFull: false },
    { cpuMs: 1, peakMemoryBytes: LIMIT, ...metered },
  )
}

const cases: readonly (readonly [string, Partial<RunEnd>, Partial<Metered>, 'oom' | 'exit'])[] = [
  ['the engine says so', { wasOutOfMemory: true }, { peakMemoryBytes: 0 }, 'oom'],
  ['a child was ended, and it went on', { wasOutOfMemory: true, status: 1 }, {}, 'exit'],
  ['nobody says so, and it was at its limit', {}, {}, 'oom'],
  ['nobody says so, and it was not near its limit', {}, { peakMemoryBytes: LIMIT / 2 }, 'exit'],
  ['it was at its limit by files that it read', {}, { cacheBytes: LIMIT / 2 }, 'exit'],
  ['of its files only its program is left', {}, { cacheBytes: 2 * MiB }, 'oom'],
  ['its group knows better', {}, { wasOutOfMemory: false }, 'exit'],
  ['its group says so', {}, { wasOutOfMemory: true, peakMemoryBytes: 0 }, 'oom'],
  ['it is known that it was not so', { wasOutOfMemory: false }, {}, 'exit'],
  ['it ended by itself otherwise', { status: 3 }, {}, 'exit'],
]

for (const [what, end, metered, reason] of cases)
  test(`status 137 where ${what}: ${reason}`, () => {
    const told = result(end, metered)
    assert.equal(told.reason, reason)
    assert.equal(told.exitCode, reason === 'exit' ? (end.status ?? 137) : -1)
  })

test('a task’s use is told without what the engine used beside it, and holds no more than a receipt does', () => {
  const { usage } = result(
    { status: 0 },
    { peakMemoryBytes: LIMIT + MiB, memoryBytes: 5, cacheBytes: 1 },
  )
  assert.deepEqual(usage, {
    wallMs: 1,
    cpuMs: 1,
    peakMemoryBytes: LIMIT,
    bytesIn: 0,
    bytesOut: 0,
  })
})
