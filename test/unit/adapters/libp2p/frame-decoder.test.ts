import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeLength, FrameDecoder } from '../../../../node/adapters/libp2p/frame-decoder.ts'

function framed(...lengths: number[]): Buffer {
  return Buffer.concat(
    lengths.flatMap((length) => [encodeLength(length), Buffer.alloc(length, length % 251)]),
  )
}

test('frame decoder: frames come out whole, however the bytes are cut', () => {
  const lengths = [0, 1, 127, 128, 300, 0, 20_000]
  const bytes = framed(...lengths)
  for (const step of [1, 2, 3, 129, bytes.length]) {
    const decoder = new FrameDecoder(20_000)
    const frames: Uint8Array[] = []
    for (let at = 0; at < bytes.length; at += step) {
      frames.push(...decoder.push(bytes.subarray(at, at + step)))
    }
    assert.deepEqual(
      frames.map((frame) => frame.byteLength),
      lengths,
    )
    assert.ok(frames.every((frame) => frame.every((byte) => byte === frame.byteLength % 251)))
    assert.equal(decoder.pendingBytes, 0)
  }
})

test('frame decoder: a length beyond the limit is refused before its bytes come', () => {
  const decoder = new FrameDecoder(100)
  assert.throws(() => [...decoder.push(encodeLength(101))], { code: 'MESSAGE_TOO_LARGE' })
})

test('frame decoder: a length that never ends is refused', () => {
  const decoder = new FrameDecoder(100)
  assert.throws(() => [...decoder.push(Uint8Array.of(0xff, 0xff, 0xff, 0xff))], {
    code: 'PEER_PROTOCOL',
  })
})

test('frame decoder: a part of a frame is known to be pending', () => {
  const decoder = new FrameDecoder(300)
  for (const cut of [1, 2, 3, 301]) {
    const fresh = new FrameDecoder(300)
    assert.deepEqual([...fresh.push(framed(300).subarray(0, cut))], [])
    assert.ok(fresh.pendingBytes > 0, `cut at ${cut}`)
  }
  assert.equal(decoder.pendingBytes, 0)
})
