import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CID } from 'multiformats/cid'
import { cidOfBlock } from '../../../../node/adapters/ipfs/content-id.ts'
import { type BlockSource, FetchAttempt } from '../../../../node/adapters/ipfs/fetch-attempt.ts'
import { collect } from '../../../support/collect.ts'

const never = new AbortController().signal
const block = Uint8Array.of(1)
const cid = await cidOfBlock(block)

const ready: BlockSource = {
  async *get() {
    yield block
  },
}

/** Waits for its signal, as a session does whose only provider was dropped. */
const stuck: BlockSource = {
  async *get(_cid, options) {
    yield await new Promise<Uint8Array>((_resolve, reject) => {
      options?.signal?.addEventListener('abort', () => reject(options.signal?.reason))
    })
  },
}

test('fetch attempt: a source that brings nothing is given up', async () => {
  using attempt = new FetchAttempt(stuck, new Set(), never, { stallMs: 20, maxBytes: 10 })
  await assert.rejects(collect(attempt.get(cid)), { code: 'CONTENT_NOT_FOUND' })
  assert.equal(attempt.newBlocks, 0)
})

test('fetch attempt: blocks of an earlier attempt are no progress', async () => {
  const seen = new Set<string>()
  using first = new FetchAttempt(ready, seen, never, { stallMs: 1000, maxBytes: 10 })
  await collect(first.get(cid))
  using second = new FetchAttempt(ready, seen, never, { stallMs: 1000, maxBytes: 10 })
  await collect(second.get(cid))
  assert.deepEqual([first.newBlocks, second.newBlocks], [1, 0])
})

test('fetch attempt: a graph of endless empty blocks is refused', async () => {
  using attempt = new FetchAttempt(ready, new Set(), never, { stallMs: 1000, maxBytes: 4096 })
  const walk = async (): Promise<void> => {
    for (;;) await collect(attempt.get(cid))
  }
  await assert.rejects(walk(), { code: 'CONTENT_NOT_FOUND', data: { maxBlocks: 65 } })
})

test('fetch attempt: a link to a CID of another kind is refused', async () => {
  using attempt = new FetchAttempt(ready, new Set(), never, { stallMs: 1000, maxBytes: 10 })
  const inline = CID.parse('bafkqabkbifaucqi')
  await assert.rejects(collect(attempt.get(inline)), { code: 'CONTENT_NOT_FOUND' })
})

test('fetch attempt: nothing of it goes on after disposal', async () => {
  const attempt = new FetchAttempt(stuck, new Set(), never, { stallMs: 60_000, maxBytes: 10 })
  const reading = assert.rejects(collect(attempt.get(cid)))
  attempt[Symbol.dispose]()
  await reading
  await assert.rejects(collect(attempt.get(cid)))
})
