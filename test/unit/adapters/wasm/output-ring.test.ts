import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { OutputRing } from '../../../../node/adapters/wasm/runner/output-ring.ts'

test('output ring: the reader is told once until it rests, and loses nothing by resting', () => {
  const ring = new OutputRing()
  let told = 0
  const write = (stream: 1 | 2, text: string) => {
    ring.write(stream, Buffer.from(text), () => {
      told += 1
    })
  }
  write(1, 'one ')
  write(1, 'two')
  write(2, 'three')
  assert.equal(told, 1)
  const texts = ring
    .drain()
    .map(({ stream, bytes }) => `${stream} ${Buffer.from(bytes).toString()}`)
  assert.deepEqual(texts, ['1 one two', '2 three'])
  write(1, 'four')
  assert.equal(told, 1)
  ring.rest()
  write(1, 'five')
  assert.equal(told, 2)
  assert.equal(Buffer.from(ring.drain()[0]?.bytes ?? []).toString(), 'fourfive')
  assert.deepEqual(ring.drain(), [])
})

test('output ring: any writes come out as they went in, also around the end of the room', () => {
  const ring = new OutputRing()
  const write = fc.tuple(fc.constantFrom(1 as const, 2 as const), fc.nat(90_000))
  let next = 0
  fc.assert(
    fc.property(fc.array(write, { maxLength: 2 }), (writes) => {
      const expected: Record<1 | 2, Uint8Array[]> = { 1: [], 2: [] }
      for (const [stream, length] of writes) {
        const bytes = Uint8Array.from({ length }, () => (next = (next * 5 + 1) & 0xff))
        expected[stream].push(bytes)
        ring.write(stream, bytes, () => {})
      }
      const got: Record<1 | 2, Uint8Array[]> = { 1: [], 2: [] }
      for (const { stream, bytes } of ring.drain()) got[stream].push(bytes)
      for (const stream of [1, 2] as const)
        assert.ok(Buffer.concat(got[stream]).equals(Buffer.concat(expected[stream])))
    }),
    { numRuns: 50 },
  )
})
