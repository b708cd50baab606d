import { openLevelStore } from '../../node/adapters/store/level-store.ts'

/** Writes pairs of records as fast as it can and tells its parent of each, until it is killed. */
const [, , dir = ''] = process.argv
const store = await openLevelStore(dir)
for (let batch = 1; ; batch += 1) {
  const value = new Uint8Array(100).fill(batch)
  await store.write([
    { key: `job/${batch}`, value },
    { key: `share/${batch}`, value },
  ])
  process.send?.(batch)
}
