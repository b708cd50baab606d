import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { admitImage } from '../../../../node/adapters/image/image-admission.ts'
import { composeImage, imageArchive } from '../../../../node/adapters/image/image-archive.ts'
import {
  admitLayers,
  bytesOfLayer,
  type LayeredImage,
} from '../../../../node/adapters/image/layered-image.ts'
import { packTar } from '../../../../node/adapters/image/tar-writer.ts'

const layer = packTar([{ path: 'program', bytes: Buffer.from('x'), mode: 0o755 }])

interface Archive {
  readonly manifest?: unknown
  readonly config?: unknown
  readonly layers?: readonly Uint8Array[]
}

function digest(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}

/** A docker-archive as another tool might write it; what is given replaces what would be right. */
function archive({ manifest, config, layers = [layer] }: Archive = {}): Uint8Array {
  const paths = layers.map((_, at) => `blobs/${at}`)
  const json = (value: unknown) => Buffer.from(JSON.stringify(value))
  return packTar([
    ...layers.map((bytes, at) => ({ path: `blobs/${at}`, bytes })),
    { path: 'c.json', bytes: json(config ?? aConfig({}, layers)) },
    {
      path: 'manifest.json',
      bytes: json(manifest ?? [{ Config: 'c.json', RepoTags: null, Layers: paths }]),
    },
  ])
}

function aConfig(inner: object = {}, layers: readonly Uint8Array[] = [layer]): object {
  const rootfs = { type: 'layers', diff_ids: layers.map(digest) }
  return { architecture: 'amd64', os: 'linux', config: inner, rootfs }
}

test('an image of our own is admitted under the id it was made with', async () => {
  const image = composeImage({
    architecture: 'amd64',
    cmd: ['sh'],
    members: [{ path: 'a', bytes: Buffer.from('a') }],
  })
  const bytes = Buffer.concat([...imageArchive(image)])
  assert.equal((await admitImage(bytes)).id, image.id)
  assert.equal((await admitImage(gzipSync(bytes))).id, image.id)
})

test('the id is the hash of the configuration, which pins every layer', async () => {
  const image = await admitImage(archive())
  assert.equal(image.id, digest(image.config))
  assert.match(Buffer.from(image.config).toString(), new RegExp(digest(layer)))
})

test('what an image may not decide is left behind; how its program starts is kept', async () => {
  const kept = { Cmd: ['a'], Entrypoint: ['/e'], Env: ['A=1'], WorkingDir: '/w' }
  const dropped = {
    Volumes: { '/fill': {} },
    volumes: { '/case': {} },
    Labels: { 'computehive.node': 'other' },
    User: 'root',
    Healthcheck: { Test: ['CMD', '/spy'] },
    OnBuild: ['RUN x'],
    ExposedPorts: { '1/tcp': {} },
  }
  const image = await admitImage(archive({ config: aConfig({ ...kept, ...dropped }) }))
  const { config } = JSON.parse(Buffer.from(image.config).toString()) as { config: object }
  assert.deepEqual(config, kept)
})

test('layers packed with gzip are unpacked and must match all the same', async () => {
  const packed = archive({ config: aConfig(), layers: [gzipSync(layer)] })
  assert.deepEqual(Buffer.from((await admitImage(packed)).layers[0] ?? []), Buffer.from(layer))
})

test('the archive that reaches the engine names nothing', async () => {
  const image = await admitImage(archive({ manifest: [entry({ RepoTags: [] })] }))
  const text = Buffer.concat([...imageArchive(image)]).toString('latin1')
  assert.match(text, /"RepoTags":null/)
})

function entry(more: object): object {
  return { Config: 'c.json', RepoTags: null, Layers: ['blobs/0'], ...more }
}

const climbing = packTar([{ path: '../../etc/cron.d/x', bytes: Buffer.from('x') }])
const BAD: Readonly<Record<string, Uint8Array>> = {
  'nothing at all': new Uint8Array(),
  'no manifest': packTar([{ path: 'a', bytes: Buffer.from('a') }]),
  'a manifest that is not JSON': packTar([{ path: 'manifest.json', bytes: Buffer.from('{') }]),
  'a manifest too large to read': packTar([
    { path: 'manifest.json', bytes: Buffer.alloc(300_000, ' ') },
  ]),
  'two images': archive({ manifest: [entry({}), entry({})] }),
  'no image': archive({ manifest: [] }),
  'a manifest that is no list': archive({ manifest: entry({}) }),
  'a tag': archive({ manifest: [entry({ RepoTags: ['debian:latest'] })] }),
  'a tag that is no list': archive({ manifest: [entry({ RepoTags: 'debian:latest' })] }),
  'a configuration outside the archive': archive({ manifest: [entry({ Config: '/etc/passwd' })] }),
  'a layer outside the archive': archive({ manifest: [entry({ Layers: ['../x'] })] }),
  'a layer without a digest': archive({ manifest: [entry({ Layers: ['blobs/0', 'blobs/0'] })] }),
  'no layers': archive({ layers: [] }),
  'a layer that is not what its digest says': archive({ config: aConfig({}, [climbing]) }),
  'a layer that climbs out': archive({ layers: [climbing] }),
  'a layer that is no archive': archive({ layers: [Buffer.from('no')] }),
  'another system': archive({ config: { ...aConfig(), os: 'windows' } }),
  'a digest of another kind': archive({
    config: { ...aConfig(), rootfs: { diff_ids: ['md5:abc'] } },
  }),
  'an environment that is no list': archive({ config: aConfig({ Env: 'A=1' }) }),
  'a command with a zero byte': archive({ config: aConfig({ Cmd: ['a\0b'] }) }),
  'two files of one name': packTar([
    { path: 'manifest.json', bytes: Buffer.from('[]') },
    { path: './manifest.json', bytes: Buffer.from('[]') },
  ]),
  'damaged gzip': gzipSync(archive()).subarray(0, 100),
}

for (const [name, bytes] of Object.entries(BAD)) {
  test(`image refused: ${name}`, async () => {
    await assert.rejects(admitImage(bytes), { code: 'IMAGE_INVALID' })
  })
}

test('image refused: gzip, of the whole or of a layer, that unpacks to more than an image may have', async () => {
  const maxBytes = 100_000
  const large = packTar([{ path: 'zeros', bytes: new Uint8Array(maxBytes) }])
  const layered = archive({ config: aConfig({}, [large]), layers: [gzipSync(large)] })
  assert.ok(layered.length < maxBytes)
  for (const bomb of [gzipSync(large), layered, large]) {
    await assert.rejects(admitImage(bomb, maxBytes), { code: 'IMAGE_INVALID' })
  }
  assert.match((await admitImage(layered)).id, /^sha256:/)
})

test('a layer that is there many times counts as often, in bytes and in files', async () => {
  const files = Array.from({ length: 2500 }, (_, at) => ({
    path: `f${at}`,
    bytes: Buffer.alloc(1),
  }))
  const one = packTar(files)
  const layers = Array.from({ length: 101 }, () => one)
  const program = {
    config: Buffer.from(JSON.stringify(aConfig({}, layers))),
    layers: layers.map((bytes) => async () => bytes),
  }
  const readAll = async (image: LayeredImage) => {
    let read = 0
    for (const each of image.layers) {
      await bytesOfLayer(each)
      read++
    }
    return read
  }
  await assert.rejects(readAll(admitLayers(program)), { code: 'IMAGE_INVALID' })
  const first = (count: number) => {
    const image = admitLayers(program, 2 * one.length)
    return { ...image, layers: image.layers.slice(0, count) }
  }
  assert.equal(await readAll(first(2)), 2)
  await assert.rejects(readAll(first(3)), { code: 'IMAGE_INVALID' })
})
