import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { estimated } from '../../../../node/adapters/libp2p/network-size.ts'

test('the size of a network is told from its 20 nearest nodes, within a factor of two', () => {
  for (const size of [100, 1000, 10_000])
    for (let seed = 0; seed < 20; seed++) {
      const points = Array.from({ length: size }, (_, n) =>
        createHash('sha256').update(`${seed} ${n}`).digest().readUInt32BE(0),
      )
      const nearest = points.toSorted((a, b) => a - b).slice(0, 20)
      const found = estimated(nearest.map((point) => point / 2 ** 32))
      assert.ok(found > size / 2 && found < size * 2, `${found} of ${size}`)
    }
})
