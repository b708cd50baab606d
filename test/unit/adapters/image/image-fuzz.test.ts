import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import fc from 'fast-check'
import { admitImage } from '../../../../node/adapters/image/image-admission.ts'
import { bytesOfLayer } from '../../../../node/adapters/image/layered-image.ts'
import { layerTree } from '../../../../node/adapters/image/layer-tree.ts'
import { readOciImage } from '../../../../node/adapters/image/oci-image.ts'
import { readTar } from '../../../../node/adapters/image/tar-reader.ts'
import { packTar } from '../../../../node/adapters/image/tar-writer.ts'
import { HiveError } from '../../../../node/domain/errors.ts'
import { KiB, MiB } from '../../../../node/domain/units.ts'
import { blockCid } from '../../../../node/protocol/cid.ts'
import {
  decodeImageManifest,
  encodeImageManifest,
} from '../../../../node/protocol/image-manifest.ts'
import { aToolImage, dockerArchive, ociLayout } from '../../../support/image-archives.ts'

/** Far above what any input of this size takes, on a busy machine too, ms. */
const MAX_MS = 5000
const RUNS = 400

/** Runs `act`, which ends soon, with a value or with one of these codes and nothing else. */
async function bears<T>(
  act: () => T | Promise<T>,
  codes = ['IMAGE_INVALID'],
): Promise<T | undefined> {
  const began = performance.now()
  try {
    return await act()
  } catch (error) {
    assert.ok(error instanceof HiveError, String(error instanceof Error ? error.stack : error))
    assert.ok(codes.includes(error.code), error.code)
    return undefined
  } finally {
    assert.ok(performance.now() - began < MAX_MS, `${performance.now() - began} ms`)
  }
}

/** One change of some bytes. */
type Change = readonly [kind: 'set' | 'cut' | 'double' | 'fill', at: number, value: number]

const change: fc.Arbitrary<Change> = fc.tuple(
  fc.constantFrom('set', 'set', 'set', 'cut', 'double', 'fill'),
  fc.nat(1_000_000),
  fc.nat(255),
)

function changed(bytes: Uint8Array, changes: readonly Change[]): Uint8Array {
  return changes.reduce((before, [kind, place, value]) => {
    if (before.length === 0) return before
    const at = place % before.length
    const to = Math.min(before.length, at + 1 + value * 3)
    if (kind === 'cut') return Buffer.concat([before.subarray(0, at), before.subarray(to)])
    if (kind === 'double') return Buffer.concat([before.subarray(0, to), before.subarray(at)])
    const after = Buffer.from(before)
    return kind === 'set' ? after.fill(value, at, at + 1) : after.fill(value, at, to)
  }, bytes)
}

/** Gives every header of an archive a checksum that fits, so that what is behind it is read too. */
function summed(archive: Uint8Array): Uint8Array {
  const bytes = Buffer.from(archive)
  for (let at = 0; at + 512 <= bytes.length; at += 512) {
    const header = bytes.subarray(at, at + 512)
    if (header.subarray(257, 262).toString('latin1') !== 'ustar') continue
    header.fill(' ', 148, 156)
    const sum = header.reduce((total, byte) => total + byte, 0)
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  }
  return bytes
}

const name = fc.oneof(
  fc.constantFrom('a', 'b', 'a/b', 'a/b/c', '.', '..', '../x', '/x', '', '.wh.a', '.wh..wh..opq'),
  fc.string({ maxLength: 12 }),
  fc.constantFrom('x'.repeat(300), 'a\\b', 'a\nb', 'ü', '__proto__', 'constructor/x'),
)
const member = fc.oneof(
  fc.record({ path: name, bytes: fc.uint8Array({ maxLength: 600 }) }),
  fc.record({ path: name }),
  fc.record({ path: name, link: name }),
  fc.record({ path: name, hardLink: name }),
)
/** An archive of odd members, then changed; with its checksums right again or not. */
const archive = fc
  .tuple(fc.array(member, { maxLength: 8 }), fc.array(change, { maxLength: 4 }), fc.boolean())
  .map(([members, changes, isSummed]) => {
    const bytes = changed(packTar(members), changes)
    return isSummed ? summed(bytes) : bytes
  })

test('fuzzed archives are read to their end, or refused by name, soon; and so are layers', async () => {
  const outcomes = { read: 0, trees: 0, refused: 0 }
  await fc.assert(
    fc.asyncProperty(archive, async (bytes) => {
      const entries = await bears(() => [...readTar(bytes)])
      outcomes[entries === undefined ? 'refused' : 'read']++
      for (const { path, bytes: content } of entries ?? []) {
        assert.ok(!path.split('/').includes('..') && !path.startsWith('/'), path)
        assert.ok(content.byteLength <= bytes.byteLength)
      }
      if ((await bears(() => layerTree(bytes))) !== undefined) outcomes.trees++
    }),
    { numRuns: 4 * RUNS },
  )
  // all must happen, or the changes are of one kind only
  assert.ok(
    Object.values(outcomes).every((count) => count > 40),
    JSON.stringify(outcomes),
  )
})

test('fuzzed images are admitted or refused by name, soon, packed or not', async () => {
  const whole = dockerArchive(aToolImage(), { tags: [] })
  const pack = { plain: (bytes: Uint8Array) => bytes, gzip: gzipSync, zstd: zstdCompressSync }
  const outcomes = { admitted: 0, refused: 0 }
  const input = fc.tuple(
    fc.array(change, { maxLength: 3 }),
    fc.constantFrom('plain', 'plain', 'gzip', 'zstd'),
    fc.boolean(),
  )
  await fc.assert(
    fc.asyncProperty(input, async ([changes, how, isInside]) => {
      const inside = isInside ? summed(changed(whole, changes)) : whole
      const packed = pack[how](inside)
      const bytes = isInside ? packed : changed(packed, changes)
      const image = await bears(() => admitImage(bytes, 1 * MiB))
      outcomes[image === undefined ? 'refused' : 'admitted']++
      if (image !== undefined) assert.match(image.id, /^sha256:[0-9a-f]{64}$/)
    }),
    { numRuns: RUNS },
  )
  assert.ok(outcomes.admitted > 20 && outcomes.refused > 20, JSON.stringify(outcomes))
})

test('fuzzed OCI layouts give an image whose layers hold to their digests, or are refused by name, soon', async () => {
  const files = new Map(
    ociLayout(aToolImage(), gzipSync).map(({ path, bytes }) => [path, bytes ?? new Uint8Array()]),
  )
  const names = [...files.keys()]
  const json = fc.oneof(
    fc.jsonValue().map((value) => Buffer.from(JSON.stringify(value))),
    fc.array(change, { minLength: 1, maxLength: 2 }),
  )
  const outcomes = { read: 0, refused: 0 }
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...names), json, async (broken, what) => {
      const bytes = files.get(broken) ?? new Uint8Array()
      const after = what instanceof Uint8Array ? what : changed(bytes, what)
      const read = (path: string) => (path === broken ? after : files.get(path)) ?? new Uint8Array()
      const blobs = async (digest: string) => read(`blobs/${digest.replace(':', '/')}`)
      const options = { architecture: 'amd64', maxBytes: 64 * KiB }
      const program = await bears(() => readOciImage(read('index.json'), blobs, options))
      const layers = await Promise.all(
        (program?.layers ?? []).map(async (layer) => bears(() => bytesOfLayer(layer))),
      )
      outcomes[program === undefined || layers.includes(undefined) ? 'refused' : 'read']++
    }),
    { numRuns: RUNS },
  )
  assert.ok(outcomes.read > 20 && outcomes.refused > 20, JSON.stringify(outcomes))
})

test('fuzzed image manifests are decoded to what they say, or refused by name, soon', async () => {
  const codes = ['MESSAGE_MALFORMED', 'MESSAGE_NOT_CANONICAL', 'MESSAGE_TOO_LARGE']
  const layers = [1, 2, 3].map((size) => ({
    cid: blockCid(`0x${createHash('sha256').update(String(size)).digest('hex')}`),
    size,
  }))
  const plain = encodeImageManifest({ config: Buffer.from('{}'), layers })
  const outcomes = { decoded: 0, refused: 0 }
  const input = fc.oneof(
    fc.array(change, { maxLength: 3 }).map((changes) => changed(plain, changes)),
    fc.uint8Array({ maxLength: 200 }),
  )
  await fc.assert(
    fc.asyncProperty(input, async (bytes) => {
      const manifest = await bears(() => decodeImageManifest(bytes), codes)
      outcomes[manifest === undefined ? 'refused' : 'decoded']++
      if (manifest !== undefined)
        assert.deepEqual(decodeImageManifest(encodeImageManifest(manifest)), manifest)
    }),
    { numRuns: 4 * RUNS },
  )
  assert.ok(outcomes.decoded > 20 && outcomes.refused > 20, JSON.stringify(outcomes))
})
