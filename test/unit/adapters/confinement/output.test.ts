import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OutputCapture } from '../../../../node/adapters/docker/output-capture.ts'
import { readArchive } from '../../../../node/adapters/docker/output-collection.ts'
import { CappedOutput } from '../../../../node/adapters/confinement/capped-output.ts'
import { outputFiles } from '../../../../node/adapters/confinement/output-files.ts'
import { readTar } from '../../../../node/adapters/image/tar-reader.ts'
import { packTar } from '../../../../node/adapters/image/tar-writer.ts'
import { MAX_OUTPUT_FILES } from '../../../../node/protocol/limits.ts'
import { KiB, MiB } from '../../../../node/domain/units.ts'
import { heapBytes } from '../../../support/heap.ts'
import { anImageTask } from './an-image-task.ts'

function frame(stream: number, text: string): Buffer {
  const header = Buffer.alloc(8)
  header[0] = stream
  header.writeUInt32BE(Buffer.byteLength(text), 4)
  return Buffer.concat([header, Buffer.from(text)])
}

function capture(maxBytes: number, chunks: readonly Buffer[]) {
  const heard: string[] = []
  let full = 0
  const output = new CappedOutput(maxBytes, {
    onOutput: (stream, chunk) => heard.push(`${stream}:${Buffer.from(chunk).toString()}`),
    onFull: () => full++,
  })
  const frames = new OutputCapture({ output })
  for (const chunk of chunks) frames.push(chunk)
  const { stdout, stderr } = output
  return {
    heard,
    full,
    stdout: Buffer.from(stdout).toString(),
    stderr: Buffer.from(stderr).toString(),
  }
}

test('streams come apart however the bytes are cut', () => {
  const whole = Buffer.concat([frame(1, 'out'), frame(2, 'err'), frame(1, ''), frame(1, 'more')])
  for (let size = 1; size <= whole.length; size++) {
    const chunks = Array.from({ length: Math.ceil(whole.length / size) }, (_, at) =>
      whole.subarray(at * size, (at + 1) * size),
    )
    const { stdout, stderr, full } = capture(100, chunks)
    assert.deepEqual([stdout, stderr, full], ['outmore', 'err', 0], `pieces of ${size}`)
  }
})

test('exactly the cap is fine; one byte more is told once, and nothing after it is kept', () => {
  assert.equal(capture(6, [frame(1, 'abc'), frame(2, 'def')]).full, 0)
  const over = capture(5, [frame(1, 'abc'), frame(2, 'def'), frame(1, 'ghi')])
  assert.deepEqual(over, { heard: ['1:abc', '2:de'], full: 1, stdout: 'abc', stderr: 'de' })
})

test('output that comes by the byte is kept as its bytes, not as an object each', () => {
  const output = new CappedOutput(MiB, { onOutput: () => undefined, onFull: () => undefined })
  const before = heapBytes()
  for (let turn = 0; turn < MiB; turn++) output.push(turn % 2 === 0 ? 1 : 2, Buffer.of(turn))
  const taken = heapBytes() - before
  assert.ok(taken < 4 * MiB, `${taken} B`)
  assert.equal(output.stdout.length + output.stderr.length, MiB)
  assert.equal(output.stderr[1], 3)
})

test('outputs: regular files come, links do not, and what was given comes only when changed', () => {
  const text = (value: string) => Buffer.from(value)
  const archive = packTar([
    { path: '' },
    { path: 'sub' },
    { path: 'sub/new', bytes: text('new') },
    { path: 'same', bytes: text('same') },
    { path: 'changed', bytes: text('after') },
    { path: 'link', link: '/etc/passwd' },
    { path: 'odd\nname', bytes: text('x') },
  ])
  const task = anImageTask({
    files: [
      { path: '/out/same', bytes: text('same') },
      { path: '/out/changed', bytes: text('before') },
    ],
  })
  const { files, usedBytes } = outputFiles(readTar(archive), task)
  assert.deepEqual(
    files.map((file) => file.path),
    ['/out/sub/new', '/out/changed'],
  )
  assert.equal(usedBytes, 5 * 4096)
})

test('outputs: one file more than allowed is refused', () => {
  const many = (count: number) =>
    packTar(Array.from({ length: count }, (_, at) => ({ path: `f${at}`, bytes: Buffer.of(1) })))
  assert.equal(
    outputFiles(readTar(many(MAX_OUTPUT_FILES)), anImageTask()).files.length,
    MAX_OUTPUT_FILES,
  )
  assert.throws(() => outputFiles(readTar(many(MAX_OUTPUT_FILES + 1)), anImageTask()), {
    code: 'CONTENT_TOO_LARGE',
  })
})

test('outputs: a file counts under each of its names, and together they may hold the disk and what was given', () => {
  const links = (count: number, bytes: number) => [
    { path: 'big', bytes: Buffer.alloc(bytes) },
    ...Array.from({ length: count }, (_, at) => ({ path: `l${at}`, hardLink: 'big' })),
  ]
  const given = { path: '/in/a', bytes: Buffer.alloc(KiB) }
  const task = anImageTask({
    files: [given],
    limits: { ...anImageTask().limits, diskBytes: 8 * KiB },
  })
  const entries = (count: number, bytes: number) => readTar(packTar(links(count, bytes)))
  assert.equal(outputFiles(entries(8, KiB), task).files.length, 9)
  assert.throws(() => outputFiles(entries(9, KiB), task), { code: 'CONTENT_TOO_LARGE' })
  assert.throws(() => outputFiles(entries(0, 9 * KiB + 1), task), { code: 'CONTENT_TOO_LARGE' })
})

test('an archive longer than its folder can be is not read to the end', async () => {
  let pieces = 0
  async function* endless() {
    for (;;) {
      pieces++
      yield Buffer.alloc(1000)
    }
  }
  await assert.rejects(readArchive(endless(), 10_000, 1), { code: 'CONTENT_TOO_LARGE' })
  assert.equal(pieces, 13)
})
