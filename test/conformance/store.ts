import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Store } from '../../node/ports/store.ts'
import { collect } from '../support/collect.ts'

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)

/** What every Store promises. `open` gives a new, empty one. */
export function storeKeepsItsPromises(name: string, open: () => Promise<Store>): void {
  test(`${name}: an absent key is undefined, a written one is what was written`, async () => {
    await using store = await open()
    assert.equal(await store.get('job/1'), undefined)
    await store.write([{ key: 'job/1', value: bytes(1, 2) }])
    assert.deepEqual(await store.get('job/1'), bytes(1, 2))
  })

  test(`${name}: an empty value is a value`, async () => {
    await using store = await open()
    await store.write([{ key: 'job/1', value: bytes() }])
    assert.deepEqual(await store.get('job/1'), bytes())
  })

  test(`${name}: undefined removes, and later changes of a batch win`, async () => {
    await using store = await open()
    await store.write([{ key: 'job/1', value: bytes(1) }])
    await store.write([
      { key: 'job/1', value: undefined },
      { key: 'job/2', value: bytes(1) },
      { key: 'job/2', value: bytes(2) },
    ])
    assert.equal(await store.get('job/1'), undefined)
    assert.deepEqual(await store.get('job/2'), bytes(2))
  })

  test(`${name}: a batch with one refused key changes nothing`, async () => {
    await using store = await open()
    const batch = [
      { key: 'job/1', value: bytes(1) },
      { key: 'nobody-listed-this/1', value: bytes(1) },
    ]
    await assert.rejects(store.write(batch), { code: 'INTERNAL' })
    assert.equal(await store.get('job/1'), undefined)
  })

  test(`${name}: neither the caller's array nor a read one is the stored one`, async () => {
    await using store = await open()
    const value = bytes(1)
    const written = store.write([{ key: 'job/1', value }], { sync: true })
    await written
    value[0] = 9
    const read = await store.get('job/1')
    assert.deepEqual(read, bytes(1))
    read?.fill(7)
    assert.deepEqual(await store.get('job/1'), bytes(1))
  })

  test(`${name}: entries are those of the prefix, in the order of their UTF-8 bytes`, async () => {
    await using store = await open()
    // U+FFFD sorts before U+1F600 as bytes and after it as UTF-16
    const keys = ['job/\u{1f600}', 'job/a', 'job/\ufffd', 'job/B', 'share/a', 'channel/a', 'job/aa']
    await store.write(keys.map((key) => ({ key, value: bytes(1) })))
    const found = (await collect(store.entries('job/'))).map(([key]) => key)
    assert.deepEqual(found, ['job/B', 'job/a', 'job/aa', 'job/\ufffd', 'job/\u{1f600}'])
  })

  test(`${name}: entries show the store as it was when they were asked for`, async () => {
    await using store = await open()
    await store.write([{ key: 'job/1', value: bytes(1) }])
    const entries = store.entries('job/')
    await store.write([
      { key: 'job/1', value: bytes(2) },
      { key: 'job/2', value: bytes(2) },
    ])
    assert.deepEqual(await collect(entries), [['job/1', bytes(1)]])
  })

  test(`${name}: a loop over entries may stop early`, async () => {
    await using store = await open()
    await store.write(['a', 'b', 'c'].map((id) => ({ key: `job/${id}`, value: bytes(1) })))
    const seen: string[] = []
    for await (const [key] of store.entries('job/')) {
      seen.push(key)
      break
    }
    assert.deepEqual(seen, ['job/a'])
    assert.deepEqual(await store.get('job/c'), bytes(1))
  })

  test(`${name}: after disposal it refuses with DATA_UNUSABLE`, async () => {
    const store = await open()
    await store[Symbol.asyncDispose]()
    await assert.rejects(store.get('job/1'), { code: 'DATA_UNUSABLE' })
    await assert.rejects(store.write([{ key: 'job/1', value: bytes(1) }]), {
      code: 'DATA_UNUSABLE',
    })
  })
}
