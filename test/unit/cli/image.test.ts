import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ImageBody } from '../../../node/api/schemas/images.ts'
import type { CliParts, ImageRequest, ReadImage } from '../../../node/cli/parts.ts'
import { imageIdOf } from '../../../node/protocol/image-manifest.ts'
import { createFakeSandbox } from '../../support/fake-sandbox.ts'
import { fakeImage } from '../../support/fake-script.ts'
import { openTestApi, type TestApi } from '../../support/test-api.ts'
import { testCli, type TestCli } from '../../support/test-cli.ts'

const BASE = Buffer.from('a common base')
const CONFIG = Buffer.from('{"os":"linux"}')

/** A command line whose images all are a base and a script that prints where they came from. */
function place(it: TestApi, more: Partial<CliParts> = {}): TestCli & { asked: ImageRequest[] } {
  const asked: ImageRequest[] = []
  const readImage = async (request: ImageRequest): Promise<ReadImage> => {
    asked.push(request)
    const top = fakeImage({ stdout: `from ${request.source}` })
    return {
      id: imageIdOf({ config: CONFIG }),
      config: CONFIG,
      layers: [async () => BASE, async () => top],
    }
  }
  return { ...testCli({ dataDir: it.dataDir, cwd: '/tmp', readImage, ...more }), asked }
}

test('image add: prints the CID, and the image is listed until it is given up', async () => {
  await using it = await openTestApi({ providers: 0 })
  const hive = place(it)
  assert.equal(await hive.run('image', 'add', 'app.tar', '--json'), 0)
  const added = JSON.parse(hive.stdout.text) as ImageBody
  assert.match(added.cid, /^bafyrei/)
  assert.equal(added.id, imageIdOf({ config: CONFIG }))
  assert.equal(added.layers.length, 2)
  assert.equal(added.size, CONFIG.length + added.layers.reduce((sum, { size }) => sum + size, 0))
  const people = place(it)
  assert.equal(await people.run('image', 'add', 'app.tar'), 0)
  assert.match(people.stdout.text, new RegExp(added.cid))
  const list = place(it)
  assert.equal(await list.run('image', 'ls', '--json'), 0)
  const { images } = JSON.parse(list.stdout.text) as { images: readonly ImageBody[] }
  assert.deepEqual(
    images.map(({ cid, source }) => [cid, source]),
    [[added.cid, 'app.tar']],
  )
  assert.equal(await place(it).run('image', 'rm', added.cid), 0)
  const gone = place(it)
  assert.equal(await gone.run('image', 'rm', added.cid, '--json'), 1)
  assert.match(gone.stderr.text, /IMAGE_UNKNOWN/)
  const empty = place(it)
  await empty.run('image', 'ls')
  assert.match(empty.stdout.text, /No images yet/)
})

test('image add: two images share the layer that they have in common', async () => {
  await using it = await openTestApi({ providers: 0 })
  const cids = []
  for (const source of ['one.tar', 'two.tar']) {
    const hive = place(it)
    await hive.run('image', 'add', source, '--json')
    cids.push((JSON.parse(hive.stdout.text) as ImageBody).layers.map(({ cid }) => cid))
  }
  assert.equal(cids[0]?.[0], cids[1]?.[0])
  assert.notEqual(cids[0]?.[1], cids[1]?.[1])
})

test('image add: flags say how the image is run', async () => {
  await using it = await openTestApi({ providers: 0 })
  const hive = place(it)
  const flags = ['--entrypoint', '/e', '--entrypoint', '-x', '--cmd', 'c', '--env', 'A=1']
  const more = ['--workdir', '/w', '--arch', 'arm64', '--socket', '/s']
  assert.equal(await hive.run('image', 'add', './root', ...flags, ...more), 0)
  const { signal: _, ...request } = hive.asked[0] as ImageRequest
  assert.deepEqual(request, {
    source: './root',
    cwd: '/tmp',
    changes: { entrypoint: ['/e', '-x'], cmd: ['c'], env: ['A=1'], workingDir: '/w' },
    architecture: 'arm64',
    socketPath: '/s',
  })
})

test('run: an image by its CID, and one of this machine’s engine as it is', async () => {
  await using it = await openTestApi({ providers: 0 })
  const sandboxes = [createFakeSandbox('docker')]
  await using _ = await it.market.provider(it.market.member(), {}, { sandboxes })
  const adding = place(it)
  await adding.run('image', 'add', 'app.tar', '--json')
  const { cid } = JSON.parse(adding.stdout.text) as ImageBody
  const byCid = place(it)
  assert.equal(await byCid.run('run', cid), 0, byCid.stderr.text)
  assert.equal(byCid.stdout.text, 'from app.tar')
  assert.equal(byCid.asked.length, 0)
  const byTag = place(it)
  assert.equal(await byTag.run('run', 'docker:app:latest'), 0, byTag.stderr.text)
  assert.equal(byTag.stdout.text, 'from docker:app:latest')
})

test('run: a tag of a registry is refused, and the error says how to pin it', async () => {
  await using it = await openTestApi({ providers: 0 })
  for (const name of ['registry.example/team/app', 'localhost:5000/app:latest']) {
    const hive = place(it)
    assert.equal(await hive.run('run', name, '--json'), 125)
    assert.match(hive.stderr.text, /SPEC_INVALID/)
    assert.match(hive.stderr.text, new RegExp(`${name.replace(':latest', '')}@sha256:`))
  }
})
