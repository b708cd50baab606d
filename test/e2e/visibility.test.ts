import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { StatusBody } from '../../node/api/schemas/node.ts'
import { Hive } from './support/hive.ts'
import { PATIENCE_MS, SharedNetwork } from './support/shared-network.ts'

const network = new SharedNetwork({ requesters: 1, providers: 1 })

/** What a node says of how it is seen, once it says what is waited for. */
async function view(name: string, holds: (seen: StatusBody['visibility']) => boolean) {
  const client = await network.client(name)
  const until = Date.now() + PATIENCE_MS
  for (;;) {
    const { visibility } = await client.get<StatusBody>('/v1/status')
    if (holds(visibility)) return visibility
    assert.ok(Date.now() < until, JSON.stringify(visibility))
    await new Promise((resolve) => setTimeout(resolve, 250))
  }
}

function isSeenByAll(seen: StatusBody['visibility']): boolean {
  const { asked = 0, listed, reached } = seen ?? {}
  return asked > 0 && listed === asked && reached === asked
}

test('nodes find out that others see them; one whose last peer dies says that it is alone and what to do', async () => {
  for (const name of ['provider-1', 'requester-1']) {
    // the first look may come before the others have heard of it
    const seen = await view(name, (each) => isSeenByAll(each))
    assert.deepEqual(seen?.faults, [], name)
  }
  await network.kill('requester-1')
  await view('provider-1', (seen) => seen?.faults.includes('NODE_ALONE') === true)
  const { stdout } = await new Hive({ HIVE_DATA: network.node('provider-1').dir }).run('status')
  assert.match(stdout, /NODE_ALONE/)
  assert.match(stdout, /network\.bootstrap/)
})
