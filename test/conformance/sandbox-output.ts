import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { OutputStream, SandboxLimits, SandboxResult } from '../../node/ports/sandbox.ts'
import { MiB } from '../../node/domain/units.ts'
import { HeapWatch } from '../support/heap.ts'

/** Runs one of the suite's programs. */
export type RunPrinting = (
  program: 'flood' | 'drip',
  run: {
    readonly limits: Partial<SandboxLimits>
    readonly onOutput?: (stream: OutputStream, chunk: Uint8Array) => void
  },
) => Promise<SandboxResult>

/** How long a slow reader hears nothing, ms. */
const BLOCKED_MS = 2000
/** Far more than lies between a program and its reader, bytes. */
const FLOOD_BYTES: number = 16 * MiB
/** What a program that prints by the byte may take of the node's memory beside its bytes. */
const HEAP_SLACK_BYTES: number = 8 * MiB

/** What a program prints costs the node its bytes and no more, and comes no faster than it is heard. */
export function outputIsBounded(run: RunPrinting): void {
  test('output ends at its cap; what came before is kept, to the byte', async () => {
    let heard = 0
    const result = await run('flood', {
      limits: { outputBytes: 100_000 },
      onOutput: (_stream, chunk) => {
        heard += chunk.byteLength
      },
    })
    assert.equal(result.reason, 'output-limit')
    assert.equal(result.stdout.byteLength + result.stderr.byteLength, 100_000)
    assert.equal(heard, 100_000)
  })

  test('a program that prints by the byte, on either stream in turn, takes no more memory than its bytes', async () => {
    const heap = new HeapWatch()
    const { reason, stdout, stderr } = await run('drip', {
      limits: { outputBytes: 500_000, wallMs: 4000 },
      onOutput: () => {
        heap.look()
      },
    })
    assert.ok(['output-limit', 'timeout'].includes(reason), reason)
    assert.ok(stdout.byteLength > 0 && stderr.byteLength > 0)
    assert.equal(Buffer.from(stdout).toString('latin1').replaceAll('o', ''), '')
    assert.equal(Buffer.from(stderr).toString('latin1').replaceAll('e', ''), '')
    const printed = stdout.byteLength + stderr.byteLength
    assert.ok(heap.taken < HEAP_SLACK_BYTES, `${heap.taken} B for ${printed}`)
  })

  test('a reader that is slow holds the program back', async () => {
    let isFirst = true
    const { reason, usage } = await run('flood', {
      limits: { outputBytes: FLOOD_BYTES },
      onOutput: () => {
        if (isFirst) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, BLOCKED_MS)
        isFirst = false
      },
    })
    assert.equal(reason, 'output-limit')
    assert.ok(usage.wallMs >= BLOCKED_MS * 0.9, `it printed all in ${usage.wallMs} ms`)
    assert.ok(usage.cpuMs < usage.wallMs * 0.7, `${usage.cpuMs} of ${usage.wallMs} ms computing`)
  })
}
