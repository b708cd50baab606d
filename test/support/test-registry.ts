import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { digestOf, jsonOf, type ToolImage } from './image-archives.ts'

/** A registry on the loopback, for reading only: as much of distribution v2 as pulling by digest takes. */
export interface TestRegistry extends AsyncDisposable {
  /** `127.0.0.1:port`. */
  readonly name: string
  /** Paths that were asked for, in order. */
  readonly asked: readonly string[]
  /** Puts an image there and gives the digest of its manifest, without `sha256:`. */
  add(image: ToolImage, pack?: (bytes: Uint8Array) => Uint8Array): string
  /** Puts other bytes in the place of a blob. */
  spoil(digest: string, bytes: Uint8Array): void
}

const MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json'

export async function openTestRegistry(): Promise<TestRegistry> {
  const blobs = new Map<string, Uint8Array>()
  const asked: string[] = []
  const server = createServer((request, response) => {
    const path = request.url ?? ''
    asked.push(path)
    const digest = /\/(?:manifests|blobs)\/(sha256:[0-9a-f]{64})$/.exec(path)?.[1] ?? ''
    const bytes = blobs.get(digest)
    response.setHeader('docker-distribution-api-version', 'registry/2.0')
    if (path === '/v2/') return void response.end('{}')
    if (bytes === undefined) return void response.writeHead(404).end('{"errors":[]}')
    response.setHeader(
      'content-type',
      path.includes('/manifests/') ? MANIFEST : 'application/octet-stream',
    )
    response.setHeader('docker-content-digest', digest)
    response.setHeader('content-length', bytes.byteLength)
    response.end(request.method === 'HEAD' ? undefined : bytes)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const blob = (bytes: Uint8Array, mediaType: string) => {
    const digest = digestOf(bytes)
    blobs.set(digest, bytes)
    return { mediaType, digest, size: bytes.byteLength }
  }
  return {
    name: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    add({ config, layers }, pack = (bytes) => bytes) {
      const type = 'application/vnd.docker.image.rootfs.diff.tar.gzip'
      const manifest = jsonOf({
        schemaVersion: 2,
        mediaType: MANIFEST,
        config: blob(jsonOf(config), 'application/vnd.docker.container.image.v1+json'),
        layers: layers.map((bytes) => blob(pack(bytes), type)),
      })
      return blob(manifest, MANIFEST).digest.slice('sha256:'.length)
    },
    spoil: (digest, bytes) => void blobs.set(digest, bytes),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
