import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { composeImage, imageArchive, imageOf } from '../../node/adapters/image/image-archive.ts'
import type { ImageConfig } from '../../node/adapters/image/image-config.ts'
import { admitImage } from '../../node/adapters/image/image-admission.ts'
import { unlessGone } from '../../node/adapters/docker/engine.ts'
import { helperImage } from '../../node/adapters/docker/helper-image.ts'
import { readTar } from '../../node/adapters/image/tar-reader.ts'
import { packTar } from '../../node/adapters/image/tar-writer.ts'
import type { Sandbox, SandboxImage } from '../../node/ports/sandbox.ts'
import { runProgram, textFile, textOf, type Program } from '../conformance/sandbox.ts'
import {
  busybox,
  dockerMissing,
  engine,
  openTestSandbox,
  shell,
} from '../support/docker-programs.ts'

const missing = await dockerMissing()
const REPO = `computehive-test-${process.pid}`
const TAG = `${REPO}:1`

describe('images of docker jobs', { skip: missing }, () => {
  let sandbox: Sandbox
  let busyboxId: string
  before(async () => {
    ;({ sandbox } = await openTestSandbox('runc'))
    busyboxId = (await admitImage(await busybox.load())).id
  })
  after(async () => {
    await sandbox[Symbol.asyncDispose]()
  })

  test('an image runs under the hash of its own configuration', async () => {
    const { stdout } = await runProgram(sandbox, shell('echo here'), [])
    assert.equal(textOf(stdout), 'here\n')
    const { config } = await admitImage(await busybox.load())
    assert.equal(busyboxId, `sha256:${createHash('sha256').update(config).digest('hex')}`)
    assert.equal((await engine.getImage(busyboxId).inspect()).Id, busyboxId)
  })

  test('an archive that names a tag is refused, and the tag stays where it was', async () => {
    const victim = composeImage({
      architecture: 'amd64',
      members: [{ path: 'victim', bytes: Buffer.from(String(process.pid)) }],
    })
    const archive = Buffer.concat([...imageArchive(victim)])
    await runProgram(sandbox, program('victim', archive), [])
    await engine.getImage(victim.id).tag({ repo: REPO, tag: '1' })
    try {
      const image = composeImage({
        architecture: 'amd64',
        members: [{ path: 'evil', bytes: Buffer.from('x') }],
      })
      const manifest = [{ Config: 'config.json', RepoTags: [TAG], Layers: ['layer.tar'] }]
      const bytes = packTar([
        { path: 'manifest.json', bytes: Buffer.from(JSON.stringify(manifest)) },
        { path: 'config.json', bytes: image.config },
        { path: 'layer.tar', bytes: image.layers[0] ?? new Uint8Array() },
      ])
      const result = await runProgram(sandbox, program('hijack', bytes), [])
      assert.equal(result.reason, 'image-bad')
      assert.match(result.detail, /tag/)
      assert.equal((await engine.getImage(TAG).inspect()).Id, victim.id)
    } finally {
      await engine.getImage(TAG).remove()
    }
  })

  test('an image comes in layers, one at a time; one that cannot be had leaves nothing behind', async () => {
    const [base] = (await admitImage(await busybox.load())).layers
    const own = packTar([{ path: 'own', bytes: Buffer.from(`of ${process.pid}\n`) }])
    const image = imageOf(aConfig([base ?? own, own]), [base ?? own, own])
    const held: number[] = []
    const layers = image.layers.map((bytes, at) => async () => {
      held.push(at)
      return bytes
    })
    const lost = () => Promise.reject(new Error('nobody has it'))
    const { config } = image
    const broken = { id: 'layers-lost', load: async () => ({ config, layers: [layers[0]!, lost] }) }
    const args = ['/bin/sh', '-c', 'cat /own']
    const first = await runProgram(sandbox, { image: broken, args }, [])
    assert.equal(first.reason, 'start-failed')
    assert.equal(await holds(image.id), false)
    const whole = { id: 'layers', load: async () => ({ config, layers }) }
    const second = await runProgram(sandbox, { image: whole, args }, [])
    assert.equal(textOf(second.stdout), `of ${process.pid}\n`)
    assert.deepEqual(held, [0, 0, 1])
    await engine.getImage(image.id).remove()
  })

  test('a layer that is not its digest’s, or not the image’s last, is image-bad', async () => {
    const own = packTar([{ path: 'own', bytes: Buffer.from(`bad of ${process.pid}\n`) }])
    const other = packTar([{ path: 'other', bytes: Buffer.from('x') }])
    const image = imageOf(aConfig([own]), [own])
    for (const layers of [[other], [own, other], []]) {
      const load = async () => ({
        config: image.config,
        layers: layers.map((one) => async () => one),
      })
      const bad = { image: { id: 'layers-bad', load }, args: ['/none'] }
      assert.equal((await runProgram(sandbox, bad, [])).reason, 'image-bad')
    }
    assert.equal(await holds(image.id), false)
  })

  test('an image that the engine lost is loaded again', async () => {
    const own = composeImage({
      architecture: 'amd64',
      members: [{ path: 'lost', bytes: Buffer.from(String(process.pid)) }],
    })
    let loads = 0
    const image: SandboxImage = {
      id: 'lost-image',
      load: async () => {
        loads++
        return Buffer.concat([...imageArchive(own)])
      },
    }
    const none: Program = { image, args: ['/none'] }
    assert.equal((await runProgram(sandbox, none, [])).reason, 'start-failed')
    assert.equal(sandbox.holds('lost-image'), true)
    await engine.getImage(own.id).remove()
    assert.equal((await runProgram(sandbox, none, [])).reason, 'start-failed')
    assert.equal(loads, 2)
    await engine.getImage(own.id).remove()
  })

  test('a helper image that somebody pruned is given to the engine again', async () => {
    const helper = helperImage(process.arch === 'arm64' ? 'arm64' : 'amd64')
    // elsewhere a task may be holding on to it just now; then it stays, which is as well
    await unlessGone(engine.getImage(helper.id).remove())
    const { stdout } = await runProgram(sandbox, shell('echo here'), [])
    assert.equal(textOf(stdout), 'here\n')
  })

  test('arguments take the place of the image’s command and keep its entry point', async () => {
    const image = await derived('entry', { entrypoint: ['/bin/echo', 'entry'], cmd: ['command'] })
    const plain = await runProgram(sandbox, { image, args: [] }, [])
    assert.equal(textOf(plain.stdout), 'entry command\n')
    const given = await runProgram(sandbox, { image, args: ['a b'] }, [])
    assert.equal(textOf(given.stdout), 'entry a b\n')
  })

  test('the image’s environment and folder hold unless the task says otherwise', async () => {
    const image = await derived('env', { env: ['A=image', 'B=image'], workingDir: '/tmp' })
    const args = ['/bin/sh', '-c', 'echo $A $B; /bin/busybox pwd']
    const { stdout } = await runProgram(sandbox, { image, args }, [], { env: { B: 'task' } })
    assert.equal(textOf(stdout), 'image task\n/tmp\n')
  })

  test('deep, long and foreign names of files go in and come out; links and pipes do not', async () => {
    const deep = `/in/${'d'.repeat(60)}/${'e'.repeat(60)}/naïve 名.txt`
    const { files } = await runProgram(
      sandbox,
      shell(
        'mkdir -p "$2"; cp "$1" "$2/å"; ln -s /etc/passwd /out/link; mkfifo /out/pipe; ln "$2/å" /out/hard',
      ),
      [deep, `/out/${'f'.repeat(100)}/g`],
      { files: [textFile(deep, 'deep')] },
    )
    assert.deepEqual(files.map((file) => [file.path, textOf(file.bytes)]).toSorted(byPath), [
      [`/out/${'f'.repeat(100)}/g/å`, 'deep'],
      ['/out/hard', 'deep'],
    ])
  })

  test('inputs cannot be changed, and a file given inside the outputs folder can', async () => {
    const { stdout, files } = await runProgram(
      sandbox,
      shell('(echo x >> /in/a) 2>/dev/null || echo kept; echo more >> /out/b; cat /out/c'),
      [],
      { files: [textFile('/in/a', 'a'), textFile('/out/b', 'b'), textFile('/out/c', 'c')] },
    )
    assert.equal(textOf(stdout), 'kept\nc')
    assert.deepEqual(
      files.map((file) => [file.path, textOf(file.bytes)]),
      [['/out/b', 'bmore\n']],
    )
  })

  test('a file at the root has no folder to lie in: start-failed, and says which', async () => {
    const result = await runProgram(sandbox, shell('true'), [], { files: [textFile('/a', '')] })
    assert.equal(result.reason, 'start-failed')
    assert.match(result.detail, /\/a/)
  })
})

function program(id: string, bytes: Uint8Array): Program {
  return { image: { id, load: async () => bytes }, args: ['/evil'] }
}

function aConfig(layers: readonly Uint8Array[]): ImageConfig {
  const diffIds = layers.map(
    (bytes) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`,
  )
  return { architecture: 'amd64', env: [], entrypoint: [], cmd: [], workingDir: '', diffIds }
}

async function holds(imageId: string): Promise<boolean> {
  return await engine
    .getImage(imageId)
    .inspect()
    .then(
      () => true,
      () => false, // the engine says that it is not there
    )
}

function byPath([a = '']: readonly string[], [b = '']: readonly string[]): number {
  return a < b ? -1 : 1
}

/** The busybox image with other defaults. */
async function derived(
  id: string,
  parts: Partial<Parameters<typeof composeImage>[0]>,
): Promise<SandboxImage> {
  const { layers } = await admitImage(await busybox.load())
  const members = [...readTar(layers[0] ?? new Uint8Array())].map(({ kind, path, link, bytes }) =>
    kind === 'symlink' ? { path, link } : kind === 'file' ? { path, bytes, mode: 0o755 } : { path },
  )
  const image = composeImage({ architecture: 'amd64', ...parts, members })
  return { id, load: async () => Buffer.concat([...imageArchive(image)]) }
}
