import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { cidOfBlock } from '../../../../node/adapters/ipfs/content-id.ts'
import { VerifiedBlockstore } from '../../../../node/adapters/ipfs/verified-blockstore.ts'
import { collect } from '../../../support/collect.ts'

test('blockstore: a block damaged on the disk is never served and counts as absent', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'hive-blocks-'))
  t.after(() => rm(dir, { recursive: true }))
  const store = new VerifiedBlockstore(dir)
  const block = Uint8Array.of(0x63, 0x61, 0x62, 0x63)
  const cid = await cidOfBlock(block)
  await store.put(cid, block)
  assert.deepEqual(await collect(store.get(cid)), [block])
  const files = (await readdir(dir, { recursive: true })).filter((name) => name.endsWith('.data'))
  await writeFile(join(dir, files[0] ?? ''), 'abd')
  await assert.rejects(collect(store.get(cid)), { code: 'CONTENT_NOT_FOUND' })
  assert.equal(await store.has(cid), false)
})

test('blockstore: a block that cannot be kept is DATA_UNUSABLE', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'hive-blocks-'))
  t.after(() => rm(dir, { recursive: true }))
  const file = join(dir, 'in-the-way')
  await writeFile(file, '')
  const block = Uint8Array.of(1)
  await assert.rejects(new VerifiedBlockstore(file).put(await cidOfBlock(block), block), {
    code: 'DATA_UNUSABLE',
  })
})
