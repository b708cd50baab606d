import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { WorkRecord } from '../../../node/services/provider/records.ts'
import { WorkBook } from '../../../node/services/provider/work-book.ts'
import { systemClock } from '../../../node/adapters/system/system-clock.ts'
import { bytes32Of, NOW, NOW_S, REQUESTER } from '../../support/messages.ts'
import { collect } from '../../support/collect.ts'
import { MemoryStore } from '../../support/memory-store.ts'

const RUNNING: WorkRecord = {
  id: bytes32Of('a9'),
  state: 'running',
  requester: REQUESTER,
  peer: 'requester',
  channel: bytes32Of('c1'),
  seq: 1,
  spec: bytes32Of('5e'),
  tasks: [0],
  need: { cpuMillis: 1, memoryBytes: 1, diskBytes: 1 },
  taskTimeoutMs: 1000,
  price: 1n,
  finishBy: NOW_S,
  startedAt: NOW,
  agreement: '0x',
}
const never = new AbortController().signal

test('a share that ends: who follows hears everything, who comes later the last event, nothing is kept', async () => {
  const works = new WorkBook(new MemoryStore())
  await works.put(RUNNING)
  const live = works.log(RUNNING)
  live.addOutput(0, 1, new Uint8Array(3))
  const following = collect(live.read(0, systemClock, never))
  const failed: WorkRecord = { ...RUNNING, state: 'failed', error: 'JOB_TIMEOUT' }
  await works.put(failed)
  const types = (events: readonly { readonly type: string }[]) => events.map(({ type }) => type)
  assert.deepEqual(types(await following), ['log', 'failed'])
  const later = works.log(failed)
  assert.notEqual(later, live)
  assert.notEqual(works.log(failed), later)
  assert.deepEqual(types(await collect(later.read(7, systemClock, never))), ['failed'])
})

test('a share with a receipt lets its events go too, long before it is paid', async () => {
  const works = new WorkBook(new MemoryStore())
  await works.put(RUNNING)
  const live = works.log(RUNNING)
  const delivered: WorkRecord = {
    ...RUNNING,
    state: 'verifying',
    receipt: '0x0102',
    salt: bytes32Of('5a'),
    manifest: 'bafy',
    amount: 1n,
  }
  await works.put(delivered)
  assert.ok(live.closed)
  assert.notEqual(works.log(delivered), live)
  assert.equal(works.owedOn(RUNNING.channel), 1n)
})
