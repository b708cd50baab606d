import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SandboxResult } from '../../../node/ports/sandbox.ts'
import { keptResult } from '../../../node/services/provider/kept-result.ts'
import { FakeBlobs } from '../../support/fake-blobs.ts'

test('outputs that are one file under many names are made content once, and few files at a time', async () => {
  const blobs = new FakeBlobs()
  let added = 0
  let atOnce = 0
  let most = 0
  const counted = {
    add: async (bytes: Uint8Array) => {
      added++
      most = Math.max(most, ++atOnce)
      await new Promise(setImmediate)
      atOnce--
      return blobs.add(bytes)
    },
  }
  const bytes = Buffer.from('one and the same')
  const links = Array.from({ length: 100 }, (_, at) => ({ path: `/out/link-${at}`, bytes }))
  const others = Array.from({ length: 20 }, (_, at) => ({
    path: `/out/${at}`,
    bytes: Buffer.from(`file ${at}`),
  }))
  const result: SandboxResult = {
    reason: 'exit',
    exitCode: 0,
    detail: '',
    stdout: new Uint8Array(),
    stderr: new Uint8Array(1),
    files: [...links, ...others],
    usage: { wallMs: 0.5, cpuMs: 0.4, peakMemoryBytes: 1, bytesIn: 0, bytesOut: 0 },
  }
  const kept = await keptResult(counted, 3, result)
  assert.equal(added, 2 + 1 + others.length)
  assert.ok(most <= 4, `${most} at once`)
  assert.deepEqual(
    kept.files.map(({ path, size }) => [path, size]),
    result.files.map(({ path, bytes: { length } }) => [path, length]),
  )
  assert.equal(new Set(kept.files.slice(0, 100).map(({ cid }) => cid)).size, 1)
})
