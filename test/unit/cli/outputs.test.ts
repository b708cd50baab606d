import assert from 'node:assert/strict'
import { access, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { JobBody } from '../../../node/api/schemas/jobs.ts'
import { writeOutputs } from '../../../node/cli/job/outputs.ts'
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
