import assert from 'node:assert/strict'
import { once } from 'node:events'
import { chmod, link, mkdir, mkdtemp, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import {
  readImageArchive,
  readImagePath,
  type ImageReading,
} from '../../../../node/adapters/image/image-reading.ts'
import { bytesOfLayer, type LayeredImage } from '../../../../node/adapters/image/layered-image.ts'
import { unpacked } from '../../../../node/adapters/image/packed-bytes.ts'
import { readTar } from '../../../../node/adapters/image/tar-reader.ts'
import { packTar } from '../../../../node/adapters/image/tar-writer.ts'
import {
  aToolImage,
  digestOf,
  dockerArchive,
  jsonOf,
  ociLayout,
} from '../../../support/image-archives.ts'

const READING: ImageReading = { architecture: 'amd64', changes: {} }

async function temporary(t: TestContext): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'hive-image-'))
  t.after(() => rm(dir, { recursive: true }))
  return dir
}

async function layersOf(image: LayeredImage): Promise<Buffer[]> {
  const layers: Buffer[] = []
  for (const layer of image.layers) layers.push(Buffer.from(await bytesOfLayer(layer)))
  return layers
}

async function writeAll(dir: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(dir, path)), { recursive: true })
    await writeFile(join(dir, path), text)
  }
}

test('the same image is the same, whatever tags, order and packing its archive has', async () => {
  const image = aToolImage()
  const plain = await readImageArchive(dockerArchive(image), READING)
  const archives = {
    untagged: dockerArchive(image, { tags: [] }),
    'in another order': dockerArchive(image, { isReversed: true, tags: ['busybox:latest'] }),
    'gzip around it': gzipSync(dockerArchive(image)),
    'zstd around it': zstdCompressSync(dockerArchive(image)),
    'gzip layers': dockerArchive(image, { pack: (bytes) => gzipSync(bytes) }),
    'zstd layers': dockerArchive(image, { pack: (bytes) => zstdCompressSync(bytes) }),
    'an OCI layout': packTar(ociLayout(image)),
    'an OCI layout of zstd layers': packTar(ociLayout(image, (bytes) => zstdCompressSync(bytes))),
  }
  for (const [what, archive] of Object.entries(archives)) {
    const { id, config, ...rest } = await readImageArchive(archive, READING)
    assert.equal(id, plain.id, what)
    assert.deepEqual(config, plain.config, what)
    assert.deepEqual(
      await layersOf({ id, config, ...rest }),
      image.layers.map((bytes) => Buffer.from(bytes)),
      what,
    )
  }
})

test('an OCI layout in a folder is the same as in an archive', async (t) => {
  const dir = await temporary(t)
  const image = aToolImage()
  for (const { path, bytes = new Uint8Array() } of ociLayout(image)) {
    await mkdir(dirname(join(dir, path)), { recursive: true })
    await writeFile(join(dir, path), bytes)
  }
  const { id } = await readImagePath(dir, READING)
  assert.equal(id, (await readImageArchive(dockerArchive(image), READING)).id)
})

test('a layer that an archive has twice may be a link, as the engine writes it', async () => {
  const layer = packTar([{ path: 'a', bytes: Buffer.from('a') }])
  const rootfs = { type: 'layers', diff_ids: [layer, layer].map(digestOf) }
  const config = { architecture: 'amd64', os: 'linux', config: {}, rootfs }
  const layers = ['one/layer.tar', 'two/layer.tar']
  const archive = packTar([
    { path: 'c.json', bytes: jsonOf(config) },
    { path: 'one/layer.tar', bytes: layer },
    { path: 'two/layer.tar', link: '../one/layer.tar' },
    { path: 'manifest.json', bytes: jsonOf([{ Config: 'c.json', Layers: layers }]) },
  ])
  const read = await layersOf(await readImageArchive(archive, READING))
  assert.deepEqual(
    read,
    [layer, layer].map((bytes) => Buffer.from(bytes)),
  )
})

test('a root folder gives one layer that is the same for equal files, not times or owners', async (t) => {
  const files = { 'bin/app': 'program', 'etc/app/conf': 'x', 'z z/é': 'name' }
  const [one, two] = [await temporary(t), await temporary(t)]
  await writeAll(one, files)
  await writeAll(two, Object.fromEntries(Object.entries(files).toReversed()))
  await chmod(join(one, 'bin/app'), 0o755)
  await chmod(join(two, 'bin/app'), 0o711)
  await chmod(join(one, 'etc'), 0o700)
  await utimes(join(one, 'etc/app/conf'), 1, 1)
  for (const dir of [one, two]) await symlink('/bin/app', join(dir, 'app'))
  const [first, second] = [await readImagePath(one, READING), await readImagePath(two, READING)]
  assert.equal(first.id, second.id)
  const [layer] = await layersOf(first)
  const entries = [...readTar(layer ?? new Uint8Array())]
  assert.deepEqual(
    entries.map(({ path, mode }) => `${mode.toString(8)} ${path}`),
    [
      '777 app',
      '755 bin',
      '755 bin/app',
      '755 etc',
      '755 etc/app',
      '644 etc/app/conf',
      '755 z z',
      '644 z z/é',
    ],
  )
  await writeFile(join(two, 'etc/app/conf'), 'y')
  assert.notEqual((await readImagePath(two, READING)).id, first.id)
})

test('a file of several names stays one, and a root packed by another tool is the same root', async (t) => {
  const dir = await temporary(t)
  await writeAll(dir, { 'bin/busybox': 'program' })
  await link(join(dir, 'bin/busybox'), join(dir, 'bin/sh'))
  const fromFolder = await readImagePath(dir, READING)
  const archive = packTar([
    { path: 'bin/sh', bytes: Buffer.from('program') },
    { path: 'bin/busybox', hardLink: 'bin/sh' },
  ])
  const fromArchive = await readImageArchive(gzipSync(archive), READING)
  assert.equal(fromArchive.id, fromFolder.id)
  const [layer] = await layersOf(fromArchive)
  const kinds = [...readTar(layer ?? new Uint8Array())].map(({ kind, link: to }) => [kind, to])
  assert.deepEqual(kinds, [
    ['directory', ''],
    ['file', ''],
    ['hardlink', 'bin/busybox'],
  ])
})

test('what is said of how to run it takes the place of the image’s own; variables are put with its own', async () => {
  const archive = dockerArchive(aToolImage({ Cmd: ['/program'], Env: ['A=1', 'B=1'] }))
  const changes = { entrypoint: ['/e'], env: ['B=2', 'C=3'], workingDir: '/w' }
  const { config } = await readImageArchive(archive, { ...READING, changes })
  assert.deepEqual((JSON.parse(Buffer.from(config).toString()) as { config: unknown }).config, {
    Cmd: ['/program'],
    Entrypoint: ['/e'],
    Env: ['A=1', 'B=2', 'C=3'],
    WorkingDir: '/w',
  })
})

test('refused: no image for this kind of machine, a blob that is not its digest’s, a socket', async (t) => {
  const layout = ociLayout(aToolImage())
  const reading = { ...READING, architecture: 'riscv64' }
  await assert.rejects(readImageArchive(packTar(layout), reading), { code: 'IMAGE_INVALID' })
  const swapped = layout.map((member) =>
    member.path.startsWith('blobs/') ? { ...member, bytes: Buffer.from('{}') } : member,
  )
  await assert.rejects(readImageArchive(packTar(swapped), READING), { code: 'IMAGE_INVALID' })
  const dir = await temporary(t)
  await symlink('/dev/null', join(dir, 'link'))
  await readImagePath(dir, READING)
  await using server = createServer().listen(join(dir, 'socket'))
  await once(server, 'listening')
  await assert.rejects(readImagePath(dir, READING), { code: 'IMAGE_INVALID' })
})

test('what unpacks to more than it may is refused before it is all there', async () => {
  const bytes = new Uint8Array(1_000_000)
  for (const packed of [gzipSync(bytes), zstdCompressSync(bytes)]) {
    assert.equal((await unpacked(packed, bytes.length)).length, bytes.length)
    await assert.rejects(unpacked(packed, bytes.length - 1), { code: 'IMAGE_INVALID' })
    await assert.rejects(unpacked(packed.subarray(0, -9), bytes.length), { code: 'IMAGE_INVALID' })
  }
})
