import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { CHAIN_BLOCK_BYTES } from '../../node/domain/challenge.ts'
import { MiB } from '../../node/domain/units.ts'
import type { Effort } from '../../node/ports/effort.ts'

const { signal } = new AbortController()
const FILL: number = 1 * MiB

/** One link as docs/protocol/challenge.md writes it, done by another hand. */
function link(state: Uint8Array, lane: Uint8Array, segment: number): Buffer {
  const number = Buffer.alloc(4)
  number.writeUInt32BE(segment)
  const rest = Buffer.alloc(CHAIN_BLOCK_BYTES - 68)
  return createHash('sha256').update(state).update(lane).update(number).update(rest).digest()
}

/** What every Effort promises. */
export function effortKeepsItsPromises(name: string, effort: Effort): void {
  test(`${name}: a chain is as the protocol writes it, segment by segment`, async () => {
    await using process = await effort.open(2, { signal })
    const [start, lane] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)]
    const job = { start, lane, first: 3, segments: 2, links: 2 }
    const [states] = await process.chains([job], { signal })
    const third = link(link(start, lane, 3), lane, 3)
    const fourth = link(link(third, lane, 4), lane, 4)
    assert.deepEqual(Buffer.from(states ?? []), Buffer.concat([third, fourth]))
  })

  test(`${name}: more chains than lanes are all done, in their order`, async () => {
    await using process = await effort.open(1, { signal })
    const jobs = [1, 2, 3].map((byte) => ({
      start: Buffer.alloc(32, byte),
      lane: Buffer.alloc(32, byte),
      first: 0,
      segments: 1,
      links: 1,
    }))
    const states = await process.chains(jobs, { signal })
    assert.deepEqual(
      states.map((state) => Buffer.from(state)),
      jobs.map(({ start, lane }) => link(start, lane, 0)),
    )
  })

  test(`${name}: filled memory gives a tag that only its salt gives, again and again`, async () => {
    await using process = await effort.open(1, { signal })
    const salts = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)]
    const once = await process.fills(salts, FILL, { signal })
    const again = await process.fills([salts[1] ?? Buffer.alloc(0)], FILL, { signal })
    assert.deepEqual(
      once.map((tag) => tag.byteLength),
      [32, 32],
    )
    assert.notDeepEqual(once[0], once[1])
    assert.deepEqual(Buffer.from(again[0] ?? []), Buffer.from(once[1] ?? []))
  })

  test(`${name}: who gives up is told so, before it opens and after`, async () => {
    const gone = AbortSignal.abort()
    await assert.rejects(effort.open(1, { signal: gone }), { name: 'AbortError' })
    await using process = await effort.open(1, { signal })
    await assert.rejects(process.chains([], { signal: gone }), { name: 'AbortError' })
  })
}
