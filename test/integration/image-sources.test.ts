import assert from 'node:assert/strict'
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test, type TestContext } from 'node:test'
import { gzipSync } from 'node:zlib'
import { unlessGone } from '../../node/adapters/docker/engine.ts'
import { bytesOfLayer } from '../../node/adapters/image/layered-image.ts'
import { readImageArchive } from '../../node/adapters/image/image-reading.ts'
import { packTar } from '../../node/adapters/image/tar-writer.ts'
import { imageArchitecture } from '../../node/adapters/image/tiny-program.ts'
import { createRegistries } from '../../node/adapters/registry/registry-client.ts'
import type { ImageRequest, ReadImage } from '../../node/cli/parts.ts'
import { readImageSource } from '../../node/image-source.ts'
import type { Sandbox, SandboxImage } from '../../node/ports/sandbox.ts'
import { runProgram, textOf } from '../conformance/sandbox.ts'
import { dockerMissing, engine, SOCKET_PATH } from '../support/docker-programs.ts'
import { digestOf } from '../support/image-archives.ts'
import { IMAGE_SANDBOXES } from '../support/image-sandboxes.ts'
import { openTestRegistry } from '../support/test-registry.ts'

const { signal } = new AbortController()
const REPO = `computehive-source-${process.pid}`
const TAG = `${REPO}:1`
const SAY = ['/bin/busybox', 'sh', '-c', 'busybox cat /who']
const PATH = ['PATH=/bin']

async function read(source: string, more: Partial<ImageRequest> = {}): Promise<ReadImage> {
  return readImageSource({
    source,
    cwd: '/',
    changes: {},
    socketPath: SOCKET_PATH,
    signal,
    ...more,
  })
}

function asImage(id: string, image: ReadImage): SandboxImage {
  return { id, load: async () => image }
}

/** A folder with a root in it, whose program says who it is. */
async function rootFolder(t: TestContext, who: string): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'hive-root-'))
  t.after(() => rm(dir, { recursive: true }))
  await mkdir(join(dir, 'root/bin'), { recursive: true })
  await copyFile('/bin/busybox', join(dir, 'root/bin/busybox'))
  await writeFile(join(dir, 'root/who'), who)
  return dir
}

for (const { name, missing, open } of IMAGE_SANDBOXES.filter((each) => !each.isGvisor)) {
  const skip = await missing()
  test(`a folder becomes an image that runs: ${name}`, { skip }, async (t) => {
    const dir = await rootFolder(t, `folder of ${process.pid}\n`)
    const image = await read('root', { cwd: dir, changes: { entrypoint: SAY, env: PATH } })
    await using sandbox = await open()
    await sandbox.prepare?.(asImage('folder', image), { signal })
    const { stdout } = await runProgram(sandbox, { image: asImage('folder', image), args: [] }, [])
    assert.equal(textOf(stdout), `folder of ${process.pid}\n`)
  })
}

const skip = await dockerMissing()

describe('images of this machine’s engine', { skip }, () => {
  let sandbox: Sandbox
  before(async () => {
    const own = IMAGE_SANDBOXES.find(({ name }) => name === 'docker runc')
    sandbox = (await own?.open()) as Sandbox
  })
  const ids = new Set<string>()
  after(async () => {
    await sandbox[Symbol.asyncDispose]()
    for (const id of ids) await unlessGone(engine.getImage(id).remove({ force: true }))
  })

  test('a Dockerfile is built, a tag is taken, and both are what they were; the tag stays where it was', async (t) => {
    const dir = await rootFolder(t, `built of ${process.pid}\n`)
    const words = JSON.stringify(SAY)
    const lines = ['FROM scratch', 'COPY root /', 'ENV PATH=/bin', `ENTRYPOINT ${words}`]
    await writeFile(join(dir, 'Dockerfile'), lines.join('\n'))
    const built = await read(dir)
    const again = await read(join(dir, 'Dockerfile'))
    ids.add(built.id)
    assert.equal(again.id, built.id)
    const { stdout } = await runProgram(sandbox, { image: asImage('built', built), args: [] }, [])
    assert.equal(textOf(stdout), `built of ${process.pid}\n`)
    await engine.getImage(built.id).tag({ repo: REPO, tag: '1' })
    try {
      const tagged = await read(`docker:${TAG}`)
      assert.equal(tagged.id, built.id)
      await runProgram(sandbox, { image: asImage('tagged', tagged), args: [] }, [])
      const { Id: id, RepoTags: tags } = await engine.getImage(TAG).inspect()
      assert.deepEqual([id, tags], [built.id, [TAG]])
    } finally {
      await engine.getImage(TAG).remove({ force: true })
    }
  })

  test('what cannot be read says why: no such tag, no engine, a build that fails, no such file', async (t) => {
    const code = 'IMAGE_UNREADABLE'
    const dir = await rootFolder(t, 'x')
    await writeFile(join(dir, 'Dockerfile'), 'FROM scratch\nCOPY missing /\n')
    await assert.rejects(read('docker:no-such-image:1'), { code })
    await assert.rejects(read('docker:any', { socketPath: '/no/such/socket' }), { code })
    await assert.rejects(read(dir), { code })
    await assert.rejects(read('/no/such/file.tar'), { code })
  })

  test('the engine and the node get the same image from a registry; the node’s has no name', async () => {
    await using registry = await openTestRegistry()
    const layer = packTar([{ path: 'who', bytes: Buffer.from(`registry of ${process.pid}\n`) }])
    const [base = layer] = await layersOfBusybox()
    const layers = [base, layer]
    const config = {
      architecture: imageArchitecture(),
      os: 'linux',
      config: { Entrypoint: SAY, Env: PATH, Volumes: { '/fill': {} } },
      rootfs: { type: 'layers', diff_ids: layers.map(digestOf) },
    }
    const sha256 = registry.add({ config, layers }, (bytes) => gzipSync(bytes))
    const options = { names: [registry.name], architecture: imageArchitecture() }
    const client = createRegistries({ fetch: globalThis.fetch }, options)
    const place = { registry: registry.name, name: 'team/app', sha256 }
    const image = { id: 'pulled', load: async () => client.pull(place, { signal }) }
    const { stdout } = await runProgram(sandbox, { image, args: [] }, [])
    assert.equal(textOf(stdout), `registry of ${process.pid}\n`)
    assert.ok(registry.asked.every((path) => path.includes('sha256:')))
    const reference = `${registry.name}/team/app@sha256:${sha256}`
    const pulling = await engine.pull(reference)
    await new Promise<void>((resolve, reject) => {
      engine.modem.followProgress(pulling, (error) => (error === null ? resolve() : reject(error)))
    })
    try {
      const engines = await read(`docker:${reference}`)
      ids.add(engines.id)
      const own = await engine.getImage(engines.id).inspect()
      assert.deepEqual([own.RepoTags, own.RepoDigests], [[], []])
      assert.deepEqual(own.RootFS.Layers, layers.map(digestOf))
      assert.deepEqual(own.Config.Volumes ?? {}, {})
    } finally {
      await engine.getImage(reference).remove({ force: true })
    }
  })
})

async function layersOfBusybox(): Promise<Uint8Array[]> {
  const { buildBusyboxImage } = await import('../../scripts/images/busybox.ts')
  const image = await readImageArchive(await buildBusyboxImage(), {
    architecture: imageArchitecture(),
    changes: {},
  })
  return Promise.all(image.layers.map(bytesOfLayer))
}
