import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SandboxFile, SandboxLimits, SandboxResult } from '../../node/ports/sandbox.ts'
import { KiB } from '../../node/domain/units.ts'

/** Runs the suite's program that copies a file. */
export type RunCopying = (
  from: string,
  to: string,
  run: {
    readonly files: readonly SandboxFile[]
    readonly limits?: Partial<SandboxLimits>
  },
) => Promise<SandboxResult>

/** Which files of a task come back, and how many bytes of them there may be. */
export function outputFilesAreBounded(copy: RunCopying): void {
  const given = (size: number): readonly SandboxFile[] => [
    { path: '/in/a', bytes: new Uint8Array(size).fill(0x61) },
  ]

  test('a file goes in, and what is left in the outputs folder comes out', async () => {
    const result = await copy('/in/a', '/out/b.txt', { files: given(12) })
    assert.equal(result.exitCode, 0, Buffer.from(result.stderr).toString())
    assert.deepEqual(
      result.files.map((file) => [file.path, Buffer.from(file.bytes).toString()]),
      [['/out/b.txt', 'a'.repeat(12)]],
    )
  })

  test('odd names do not come back, for no result could carry them', async () => {
    for (const name of ['a\\b', 'new\nline', 'bell\u0007', 'delete\u007f']) {
      const result = await copy('/in/a', `/out/${name}`, { files: given(12) })
      assert.equal(result.reason, 'exit', JSON.stringify(name))
      assert.equal(result.exitCode, 0, Buffer.from(result.stderr).toString())
      assert.deepEqual(result.files, [])
      assert.equal(result.usage.bytesOut, 0)
    }
  })

  test('disk is a limit: a task that fills its outputs folder ends for it, and no more than fits comes back', async () => {
    const limits = { diskBytes: 256 * KiB }
    const full = await copy('/in/a', '/out/b', { files: given(512 * KiB), limits })
    assert.equal(full.reason, 'disk-limit', full.detail)
    assert.equal(full.exitCode, -1)
    assert.notEqual(full.detail, '')
    const size = full.files.reduce((sum, file) => sum + file.bytes.byteLength, 0)
    assert.ok(size <= limits.diskBytes, `${size} B`)
    const fits = await copy('/in/a', '/out/b', { files: given(128 * KiB), limits })
    assert.equal(fits.reason, 'exit', fits.detail)
    assert.equal(fits.files[0]?.bytes.byteLength, 128 * KiB)
  })
}
