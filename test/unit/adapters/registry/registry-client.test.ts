import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { admitLayers, bytesOfLayer } from '../../../../node/adapters/image/layered-image.ts'
import { readImageArchive } from '../../../../node/adapters/image/image-reading.ts'
import { createRegistries } from '../../../../node/adapters/registry/registry-client.ts'
import type { Registries } from '../../../../node/ports/registries.ts'
import { aToolImage, digestOf, dockerArchive } from '../../../support/image-archives.ts'
import { openTestRegistry, type TestRegistry } from '../../../support/test-registry.ts'

const { signal } = new AbortController()
const architecture = 'amd64'

function clientOf({ name }: TestRegistry, fetch = globalThis.fetch): Registries {
  return createRegistries({ fetch }, { names: [name], architecture })
}

test('what is pulled by its digest is the image that its archive gives', async () => {
  await using registry = await openTestRegistry()
  const image = aToolImage()
  const sha256 = registry.add(image, (bytes) => gzipSync(bytes))
  const place = { registry: registry.name, name: 'team/app', sha256 }
  const pulled = admitLayers(await clientOf(registry).pull(place, { signal }))
  assert.equal(
    pulled.id,
    (await readImageArchive(dockerArchive(image), { architecture, changes: {} })).id,
  )
  assert.equal(registry.asked.length, 2)
  for (const [at, layer] of pulled.layers.entries())
    assert.deepEqual(Buffer.from(await bytesOfLayer(layer)), Buffer.from(image.layers[at] ?? []))
  assert.equal(registry.asked.length, 4)
  assert.ok(
    registry.asked.every((path) => path.includes('sha256:')),
    'a tag was asked for',
  )
})

test('only the registries of the config are allowed, to the port', async () => {
  await using registry = await openTestRegistry()
  const client = clientOf(registry)
  assert.deepEqual([client.allows(registry.name), client.allows('127.0.0.1')], [true, false])
})

test('a blob that is not its digest’s is no image; a digest that is not there is content not found', async () => {
  await using registry = await openTestRegistry()
  const image = aToolImage()
  const sha256 = registry.add(image)
  const place = { registry: registry.name, name: 'app', sha256 }
  const client = clientOf(registry)
  const { layers } = await client.pull(place, { signal })
  const [layer = new Uint8Array()] = image.layers
  registry.spoil(digestOf(layer), new Uint8Array(layer.byteLength))
  await assert.rejects(async () => layers[0]?.(), { code: 'IMAGE_INVALID' })
  registry.spoil(digestOf(layer), new Uint8Array(10 * layer.byteLength))
  await assert.rejects(async () => layers[0]?.(), { code: 'IMAGE_INVALID' })
  registry.spoil(`sha256:${sha256}`, Buffer.from('{}'))
  await assert.rejects(client.pull(place, { signal }), { code: 'IMAGE_INVALID' })
  const lost = { ...place, sha256: '0'.repeat(64) }
  await assert.rejects(client.pull(lost, { signal }), { code: 'CONTENT_NOT_FOUND' })
  await assert.rejects(client.pull(lost, { signal: AbortSignal.abort() }), { code: 'CANCELLED' })
})

test('a registry that wants a token gets the one that it gives to anybody', async () => {
  await using registry = await openTestRegistry()
  const sha256 = registry.add(aToolImage())
  const place = { registry: registry.name, name: 'team/app', sha256 }
  const tokens: string[] = []
  const guarded: typeof fetch = async (input, init) => {
    const url = input instanceof Request ? input.url : String(input)
    if (url.startsWith('https://auth.example/')) {
      tokens.push(url)
      return Response.json({ token: 'for anybody' })
    }
    const given = new Headers(init?.headers).get('authorization')
    if (given === 'Bearer for anybody') return fetch(input, init)
    const challenge = 'Bearer realm="https://auth.example/token",service="registry.example"'
    return new Response('', { status: 401, headers: { 'www-authenticate': challenge } })
  }
  await clientOf(registry, guarded).pull(place, { signal })
  assert.deepEqual(tokens, [
    'https://auth.example/token?service=registry.example&scope=repository%3Ateam%2Fapp%3Apull',
  ])
  const insecure: typeof fetch = async () =>
    new Response('', { status: 401, headers: { 'www-authenticate': 'Bearer realm="http://x/"' } })
  const code = 'CONTENT_NOT_FOUND'
  await assert.rejects(clientOf(registry, insecure).pull(place, { signal }), { code })
})
