import { pickAsk } from '../../../node/domain/offer-ask.ts'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TaskResult } from '../../../node/domain/receipt.ts'
import type { WorkRecord } from '../../../node/services/provider/records.ts'
import { WorkBook } from '../../../node/services/provider/work-book.ts'
import { systemClock } from '../../../node/adapters/system/system-clock.ts'
import { anOffer, bytes32Of, NOW, NOW_S, REQUESTER } from '../../support/messages.ts'
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
  ask: pickAsk(anOffer()),
  price: 1n,
  finishBy: NOW_S,
  startedAt: NOW,
  agreement: '0x',
}
const never = new AbortController().signal

const idOf = (n: number) => bytes32Of(n.toString(16).padStart(2, '0'))
const types = (events: readonly { readonly type: string }[]) => events.map(({ type }) => type)

test('a share that ends: who follows hears everything, and who comes back a little later too', async () => {
  const works = new WorkBook(new MemoryStore())
  await works.put(RUNNING)
  const live = works.log(RUNNING)
  live.addOutput(0, 1, new Uint8Array(3))
  const following = collect(live.read(0, systemClock, never))
  const failed: WorkRecord = { ...RUNNING, state: 'failed', error: 'JOB_TIMEOUT' }
  await works.put(failed)
  assert.deepEqual(types(await following), ['log', 'failed'])
  assert.deepEqual(types(await collect(works.log(failed).read(0, systemClock, never))), [
    'log',
    'failed',
  ])
})

test('shares that ended do not fill the memory: of old ones only the last event is left', async () => {
  const works = new WorkBook(new MemoryStore())
  const deliver = async (id: number): Promise<WorkRecord> => {
    const running = { ...RUNNING, id: idOf(id) }
    await works.put(running)
    works.log(running).addOutput(0, 1, new Uint8Array(3))
    const receipt = {
      receipt: '0x0102',
      salt: bytes32Of('5a'),
      manifest: 'bafy',
      amount: 1n,
    } as const
    const delivered: WorkRecord = { ...running, state: 'verifying', ...receipt }
    await works.put(delivered)
    return delivered
  }
  const first = await deliver(1)
  const second = await deliver(2)
  for (let id = 3; id <= 9; id++) await deliver(id)
  const heardOf = async (work: WorkRecord) =>
    types(await collect(works.log(work).read(0, systemClock, never)))
  assert.deepEqual(await heardOf(first), ['receipt'])
  assert.deepEqual(await heardOf(second), ['log', 'receipt'])
  assert.equal(works.owedOn(RUNNING.channel), 9n)
})

test('asking after old shares keeps nothing of them', async () => {
  const works = new WorkBook(new MemoryStore())
  const failed: WorkRecord = { ...RUNNING, state: 'failed', error: 'INTERRUPTED' }
  await works.put(failed)
  assert.notEqual(works.log(failed), works.log(failed))
})

test('how tasks ended is on record until their share is over, and no longer', async () => {
  const file = { path: '/stdout', cid: 'bafy', size: 0 }
  const usage = { wallMs: 1, cpuMs: 1, peakMemoryBytes: 1, bytesIn: 0, bytesOut: 0 }
  const result = (index: number): TaskResult => {
    const files = { stdout: file, stderr: file, files: [] }
    return { index, reason: 'exit', exitCode: index, detail: '', ...files, usage }
  }
  const store = new MemoryStore()
  const works = new WorkBook(store)
  for (const id of ['a1', 'a2']) {
    await works.put({ ...RUNNING, id: bytes32Of(id), tasks: [0, 12] })
    await works.putEnded(bytes32Of(id), result(12))
  }
  const again = new WorkBook(store)
  const underWay = await again.load()
  assert.deepEqual(
    underWay.map(({ id }) => id),
    [bytes32Of('a1'), bytes32Of('a2')],
  )
  assert.deepEqual([...(await again.endedTasks(bytes32Of('a1')))], [[12, result(12)]])
  await again.put({ ...RUNNING, id: bytes32Of('a1'), state: 'failed', error: 'INTERRUPTED' })
  assert.equal((await again.endedTasks(bytes32Of('a1'))).size, 0)
  assert.equal((await again.endedTasks(bytes32Of('a2'))).size, 1)
})
