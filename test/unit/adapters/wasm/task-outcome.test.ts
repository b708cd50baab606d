import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { GuestResult } from '../../../../node/adapters/wasm/runner/messages.ts'
import { TaskOutcome } from '../../../../node/adapters/wasm/task-outcome.ts'
import { KiB } from '../../../../node/domain/units.ts'
import { MAX_OUTPUT_FILES } from '../../../../node/protocol/limits.ts'
import type { SandboxFile } from '../../../../node/ports/sandbox.ts'
import { aTask } from '../../../conformance/sandbox.ts'

const program = { image: { id: 'none', load: async () => new Uint8Array() }, args: [] }
const given = { path: '/in/a', bytes: new Uint8Array(1 * KiB) }
const task = aTask(program, [], {
  files: [given],
  limits: { diskBytes: 4 * KiB, outputBytes: 10 },
})

function ended(files: readonly SandboxFile[]): GuestResult {
  const used = { wallMs: 1, cpuMs: 1, peakMemoryBytes: 1 }
  return { reason: 'exit', exitCode: 0, detail: '', files, ...used }
}

function file(path: string, size = 1): SandboxFile {
  return { path, bytes: new Uint8Array(size) }
}

test('a runner that was taken over cannot hand back what its task may not leave', () => {
  const outcomeOf = (...files: SandboxFile[]) => {
    const { reason } = new TaskOutcome(task, undefined).ended(ended(files))
    return reason
  }
  assert.equal(outcomeOf(file('/out/a'), file('/out/b', 3 * KiB)), 'exit')
  assert.equal(outcomeOf(file('/out/a', 4 * KiB), file('/out/given', 1 * KiB)), 'exit')
  for (const path of ['/etc/a', '/out', '/outside', '/out/../a', '/out/a\\b', '/out/a\nb', 'out/a'])
    assert.equal(outcomeOf(file(path)), 'start-failed', path)
  assert.equal(outcomeOf(file('/out/a', 4 * KiB), file('/out/b', 1 * KiB + 1)), 'start-failed')
  const many = Array.from({ length: MAX_OUTPUT_FILES + 1 }, (_, at) => file(`/out/${at}`, 0))
  assert.equal(outcomeOf(...many.slice(1)), 'exit')
  assert.equal(outcomeOf(...many), 'start-failed')
})

test('a runner that was taken over cannot print more than its task may, nor end it by a reason of its own', () => {
  const heard: string[] = []
  const outcome = new TaskOutcome(task, (stream, chunk) =>
    heard.push(`${stream} ${Buffer.from(chunk).toString()}`),
  )
  outcome.hear(1, Buffer.from('12345678'))
  outcome.hear(2, Buffer.from('90ab'))
  outcome.hear(1, Buffer.from('c'))
  const { stdout, stderr, usage } = outcome.ended(ended([]))
  assert.deepEqual(heard, ['1 12345678', '2 90'])
  assert.equal(Buffer.concat([stdout, stderr]).toString(), '1234567890')
  assert.equal(usage.bytesOut, 10)
  const odd = { ...ended([]), reason: 'paid' as 'exit' }
  assert.equal(outcome.ended(odd).reason, 'start-failed')
})
