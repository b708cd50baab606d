import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { packOutput, unpackOutput } from '../../../../node/adapters/wasm/runner/packed-output.ts'
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

test('output ring: a guest that changes streams with every byte costs few pieces, and loses no byte', () => {
  const ring = new OutputRing()
  for (let turn = 0; turn < 10_000; turn++)
    ring.write(turn % 2 === 0 ? 1 : 2, Buffer.of(turn), () => {})
  const chunks = ring.drain()
  assert.ok(chunks.length < 300, `${chunks.length} pieces`)
  assert.deepEqual(
    chunks.slice(0, 3).map(({ stream, bytes }) => [stream, ...bytes]),
    [
      [1, 0],
      [2, 1],
      [1, 2],
    ],
  )
  for (const which of [1, 2] as const) {
    const bytes = Buffer.concat(
      chunks.filter(({ stream }) => stream === which).map((one) => one.bytes),
    )
    const expected = Buffer.from(Array.from({ length: 5000 }, (_, at) => 2 * at + which - 1))
    assert.ok(bytes.equals(expected))
  }
})

test('packed output: pieces come out as they went in, and anything else ends without a fault', () => {
  const chunk = fc.record({
    stream: fc.constantFrom(1 as const, 2 as const),
    bytes: fc.uint8Array(),
  })
  fc.assert(
    fc.property(fc.array(chunk), fc.nat(100), (chunks, cut) => {
      const packed = packOutput(chunks)
      const got = [...unpackOutput(packed)].map(({ stream, bytes }) => ({
        stream,
        bytes: Uint8Array.from(bytes),
      }))
      assert.deepEqual(
        got,
        chunks.map((one) => ({ ...one })),
      )
      const part = [...unpackOutput(packed.subarray(0, Math.max(0, packed.length - cut)))]
      assert.ok(part.length <= chunks.length)
    }),
  )
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      const size = [...unpackOutput(bytes)].reduce((sum, one) => sum + one.bytes.byteLength, 0)
      assert.ok(size <= bytes.byteLength)
    }),
  )
})
