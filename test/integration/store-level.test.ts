import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { SCHEMA_KEY } from '../../node/adapters/store/buckets.ts'
import { openLevelStore } from '../../node/adapters/store/level-store.ts'
import { storeKeepsItsPromises } from '../conformance/store.ts'
import { KiB, MiB } from '../../node/domain/units.ts'
import { collect } from '../support/collect.ts'
import { openSmallDisk, smallDiskMissing } from '../support/small-disk.ts'

const root = await mkdtemp(join(tmpdir(), 'hive-store-'))
after(() => rm(root, { recursive: true }))
let folders = 0
const waitFor = async (holds: () => boolean) => {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 10))
}
const freshDir = (): string => join(root, String((folders += 1)))

storeKeepsItsPromises('level store', () => openLevelStore(freshDir()))

test('level store: what was written is there after a restart', async () => {
  const dir = freshDir()
  {
    await using store = await openLevelStore(dir)
    await store.write([{ key: 'job/1', value: Uint8Array.of(7) }])
  }
  await using again = await openLevelStore(dir)
  assert.deepEqual(await again.get('job/1'), Uint8Array.of(7))
})

test('level store: a second opener gets DATA_LOCKED and does no harm', async () => {
  const dir = freshDir()
  await using store = await openLevelStore(dir)
  await assert.rejects(openLevelStore(dir), { code: 'DATA_LOCKED' })
  await store.write([{ key: 'job/1', value: Uint8Array.of(1) }])
})

test('level store: a newer layout is refused with DATA_DAMAGED and left as it is', async () => {
  const dir = freshDir()
  {
    await using store = await openLevelStore(dir)
    await store.write([{ key: SCHEMA_KEY, value: new TextEncoder().encode('2') }])
  }
  await assert.rejects(openLevelStore(dir), { code: 'DATA_DAMAGED' })
  await assert.rejects(openLevelStore(dir), { code: 'DATA_DAMAGED' })
})

test('level store: a file where the folder should be is DATA_DAMAGED', async () => {
  const dir = freshDir()
  await writeFile(dir, 'not a folder')
  await assert.rejects(openLevelStore(dir), { code: 'DATA_DAMAGED' })
})

test('level store: every acknowledged batch survives SIGKILL, whole', async () => {
  const dir = freshDir()
  const writer = fork(join(import.meta.dirname, 'store-writer.ts'), [dir])
  let acknowledged = 0
  const enough = Promise.withResolvers<void>()
  writer.on('message', (batch: number) => {
    acknowledged = batch
    if (batch >= 500) enough.resolve()
  })
  await enough.promise
  writer.kill('SIGKILL')
  await once(writer, 'exit')
  await using store = await openLevelStore(dir)
  const left = (await collect(store.entries('job/'))).length
  const right = (await collect(store.entries('share/'))).length
  assert.ok(left >= acknowledged)
  assert.equal(left, right)
})

test(
  'level store: on a full disk writes and reads wait, and what was acknowledged is there when there is room',
  { skip: smallDiskMissing },
  async () => {
    await using disk = openSmallDisk(freshDir(), 8 * MiB)
    const dir = join(disk.dir, 'state')
    const told: boolean[] = []
    const value = new Uint8Array(4 * KiB).fill(5)
    const keys: string[] = []
    {
      await using store = await openLevelStore(dir, { onFull: (isFull) => told.push(isFull) })
      await store.write([{ key: 'job/first', value }])
      keys.push('job/first')
      await disk.fill()
      const late = Array.from({ length: 8 }, (_, at) => `job/late-${at}`)
      const writing = late.map(async (key) => {
        await store.write([{ key, value }], { sync: true })
        keys.push(key)
      })
      await waitFor(() => told.includes(true))
      assert.ok(keys.length < 1 + late.length, 'not all of them had room')
      const reading = store.get('job/first')
      await disk.empty()
      await Promise.all(writing)
      assert.deepEqual(await reading, value)
      await store.write([{ key: 'job/last', value }])
      keys.push('job/last')
    }
    assert.equal(told.at(-1), false)
    await using again = await openLevelStore(dir)
    const found = (await collect(again.entries('job/'))).map(([key]) => key)
    assert.deepEqual(found, keys.toSorted())
  },
)

test(
  'level store: one that waits for room can be closed, and its writes fail with DATA_UNUSABLE',
  { skip: smallDiskMissing },
  async () => {
    await using disk = openSmallDisk(freshDir(), 8 * MiB)
    let isFull = false
    const store = await openLevelStore(join(disk.dir, 'state'), {
      onFull: (full) => (isFull ||= full),
    })
    await disk.fill()
    const value = new Uint8Array(64 * KiB)
    const writing = assert.rejects(store.write([{ key: 'job/1', value }]), {
      code: 'DATA_UNUSABLE',
    })
    await waitFor(() => isFull)
    await store[Symbol.asyncDispose]()
    await writing
  },
)
