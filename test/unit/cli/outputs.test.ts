import assert from 'node:assert/strict'
import { access, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { JobBody } from '../../../node/api/schemas/jobs.ts'
import { fetchOutputs, writeOutputs } from '../../../node/cli/job/outputs.ts'
import type { NodeClient } from '../../../node/cli/node-client.ts'

const client = { download: async () => new Uint8Array() } as unknown as NodeClient

function job(path: string, input?: string): JobBody {
  const none = { path: '/s', cid: 'c', size: 0 }
  const result = { index: 0, stdout: none, stderr: none, files: [{ path, cid: 'c', size: 0 }] }
  const inputs = input === undefined ? [] : [{ name: input, files: [] }]
  const spec = { outputs: '/out', tasks: 1, inputs }
  return { results: [result], request: { spec } } as unknown as JobBody
}

test('outputs: nothing is written outside the folder, whatever a result is called', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'hive-out-'))
  t.after(() => rm(dir, { recursive: true }))
  const { signal } = new AbortController()
  const target = join(dir, 'results')
  for (const bad of [job('/out/../../evil'), job('/out/a', '../evil'), job('/out/a', '..')]) {
    await assert.rejects(writeOutputs(bad, target, client, signal), { code: 'OUTPUT_UNWRITABLE' })
  }
  await assert.rejects(access(join(dir, 'evil')))
  assert.deepEqual(await writeOutputs(job('/out/a'), target, client, signal), [join(target, 'a')])
})

test('outputs: of a job that failed or still runs, what its tasks made; only one that is over counts as fetched', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'hive-out-'))
  t.after(() => rm(dir, { recursive: true }))
  const { signal } = new AbortController()
  const told: string[] = []
  const listening = {
    download: async () => new Uint8Array(),
    post: async (path: string) => void told.push(path),
  } as unknown as NodeClient
  const file = { path: '/out/a', cid: 'c', size: 0 }
  const none = { path: '/s', cid: 'c', size: 0 }
  const result = { index: 1, stdout: none, stderr: none, files: [file] }
  const spec = { outputs: '/out', tasks: 3, inputs: [] }
  const running = {
    id: '0x1',
    results: [null, result, null],
    request: { spec },
  } as unknown as JobBody
  const written = [join(dir, '1', 'a')]
  assert.deepEqual(await fetchOutputs(running, dir, listening, signal), written)
  assert.deepEqual(told, [])
  const failed = { ...running, state: 'failed', finishedAt: 1 } as JobBody
  assert.deepEqual(await fetchOutputs(failed, dir, listening, signal), written)
  assert.deepEqual(told, ['/v1/jobs/0x1/fetched'])
})
