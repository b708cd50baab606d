import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { MiB } from '../../../node/domain/units.ts'
import { MAX_IMAGE_BYTES } from '../../../node/protocol/limits.ts'
import { composeImage, imageArchive } from '../../../node/adapters/image/image-archive.ts'
import { packTar, type TarMember } from '../../../node/adapters/image/tar-writer.ts'
import { buildBusyboxImage } from '../../../scripts/images/busybox.ts'
import type { LayeredProgram } from '../../../node/ports/sandbox.ts'
import { attempt, type Attack } from './attack.ts'

const PLANTED = '/tmp/hive-planted-by-an-image'

/** An archive with these layers and whatever else its manifest says. */
function archiveOf(layers: readonly Uint8Array[], more: object = {}): Uint8Array {
  const json = (value: unknown) => Buffer.from(JSON.stringify(value))
  const digest = (bytes: Uint8Array) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`
  const rootfs = { type: 'layers', diff_ids: layers.map(digest) }
  const names = layers.map((_, at) => `${at}.tar`)
  return packTar([
    {
      path: 'config.json',
      bytes: json({ architecture: 'amd64', os: 'linux', config: {}, rootfs }),
    },
    ...layers.map((bytes, at) => ({ path: names[at] ?? '', bytes })),
    {
      path: 'manifest.json',
      bytes: json([{ Config: 'config.json', RepoTags: null, Layers: names, ...more }]),
    },
  ])
}

function layer(...members: readonly TarMember[]): Uint8Array {
  return packTar(members)
}

const evil = Buffer.from('planted')

/** Images that must not be run, and why not. */
const BAD_IMAGES: Readonly<Record<string, () => Uint8Array>> = {
  'a path that climbs': () =>
    archiveOf([layer({ path: `../../../../../..${PLANTED}`, bytes: evil })]),
  'a name behind a link to the host': () =>
    archiveOf([layer({ path: 'd', link: '/tmp' }, { path: `d/${PLANTED.slice(5)}`, bytes: evil })]),
  'a link that becomes a folder': () =>
    archiveOf([layer({ path: 'd', link: '../../../../../../tmp' }, { path: 'd' })]),
  'a deletion that climbs': () => archiveOf([layer({ path: 'd/.wh...', bytes: new Uint8Array() })]),
  'a path that climbs in the archive around the layers': () =>
    packTar([{ path: `../..${PLANTED}`, bytes: evil }]),
  'a layer that is not the one its digest names': () => {
    const whole = Buffer.from(archiveOf([layer({ path: 'a', bytes: Buffer.from('original') })]))
    whole.write('replaced', whole.indexOf('original'), 'latin1')
    return whole
  },
  'a name that another image has, to take its place': () =>
    archiveOf([layer({ path: 'a', bytes: evil })], { RepoTags: ['busybox:latest'] }),
  'a size that is not there': () => {
    const bytes = Buffer.from(layer({ path: 'a', bytes: evil }))
    bytes.write('77777777777', 124, 'latin1')
    return archiveOf([bytes])
  },
  'gzip that unpacks to more than any image may be': () => {
    const member = gzipSync(new Uint8Array(16 * MiB))
    return Buffer.concat(Array.from({ length: MAX_IMAGE_BYTES / (16 * MiB) + 1 }, () => member))
  },
}

/** Images in layers that must not be run. */
const BAD_LAYERED: Readonly<Record<string, () => LayeredProgram>> = {
  'a layer that is packed, to unpack to more than it says': () =>
    layered([gzipSync(new Uint8Array(16 * MiB))]),
  'a layer that another one’s digest names': () => ({
    ...layered([layer({ path: 'a', bytes: evil })]),
    layers: [async () => layer({ path: 'b', bytes: evil })],
  }),
  'more layers than digests': () => {
    const { config, layers } = layered([layer({ path: 'a', bytes: evil })])
    return { config, layers: [...layers, ...layers] }
  },
  'a configuration nested to exhaust its reader': () => ({
    config: Buffer.from('['.repeat(200_000)),
    layers: [],
  }),
  'a configuration as large as a layer': () => ({ config: Buffer.alloc(MiB, 0x20), layers: [] }),
}

function layered(layers: readonly Uint8Array[]): LayeredProgram {
  const diffIds = layers.map(
    (bytes) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`,
  )
  const rootfs = { type: 'layers', diff_ids: diffIds }
  const config = { architecture: 'amd64', os: 'linux', config: {}, rootfs }
  return {
    config: Buffer.from(JSON.stringify(config)),
    layers: layers.map((bytes) => async () => bytes),
  }
}

/** What an image tries by being unpacked, before a program of it runs. */
export const ARCHIVE_ATTACKS: readonly Attack[] = [
  ...Object.entries({ ...BAD_IMAGES, ...BAD_LAYERED }).map(([name, program]): Attack => ({
    name: `an image with ${name}`,
    contained: 'image-bad, and nothing is written',
    attempt: async (target, bait) => {
      const image = { id: `bad: ${name}`, load: async () => program() }
      const { reason } = await attempt(target, bait, { image, args: ['/x'] })
      assert.equal(reason, 'image-bad')
      assert.equal(existsSync(PLANTED), false)
      assert.equal(target.sandbox.holds(image.id), false)
    },
  })),
  {
    name: 'an image whose folders are links to the host’s',
    contained: 'the links lead nowhere but inside the job',
    attempt: async (target, bait) => {
      const members = ['out', 'tmp', 'etc', 'proc', 'dev', 'in'].map((path) => ({
        path,
        link: '/tmp/..',
      }))
      const program = composeImage({
        architecture: 'amd64',
        entrypoint: ['/busybox', 'sh', '-c'],
        members: [
          ...members,
          { path: 'busybox', bytes: readFileSync('/bin/busybox'), mode: 0o755 },
          { path: 'host', link: bait.file },
        ],
      })
      const image = { id: program.id, load: async () => Buffer.concat([...imageArchive(program)]) }
      const command = '/busybox cat /host; echo x > /out/x; echo x > /tmp/x; /busybox ls /'
      const { reason, files } = await attempt(target, bait, { image, args: [command] })
      assert.ok(['exit', 'start-failed'].includes(reason), reason)
      assert.ok(files.every((file) => file.path === '/out/x'))
      assert.equal(existsSync('/x'), false)
    },
  },
  {
    name: 'a program of its image that lends root’s rights',
    contained: 'it runs as nobody all the same',
    attempt: async (target, bait) => {
      const program = composeImage({
        architecture: 'amd64',
        cmd: ['/id', '-u'],
        members: [{ path: 'id', bytes: readFileSync('/bin/busybox'), mode: 0o6755 }],
      })
      const image = { id: program.id, load: async () => Buffer.concat([...imageArchive(program)]) }
      const { said } = await attempt(target, bait, { image, args: [] })
      assert.equal(said, '65534\n')
    },
  },
  {
    name: 'an image that claims another’s content id',
    contained: 'the first holder of the id keeps its own bytes',
    attempt: async (target, bait) => {
      const image = { id: 'claimed', load: buildBusyboxImage }
      await attempt(target, bait, { image, args: ['echo', 'one'] })
      const other = {
        id: 'claimed',
        load: async () => BAD_IMAGES['a path that climbs']?.() ?? evil,
      }
      const { said } = await attempt(target, bait, { image: other, args: ['echo', 'two'] })
      assert.equal(said, 'two\n')
    },
  },
]
