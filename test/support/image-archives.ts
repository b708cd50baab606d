import { createHash } from 'node:crypto'
import { packTar, type TarMember } from '../../node/adapters/image/tar-writer.ts'

/** An image as tools write it down; what differs between its archives is none of its content. */
export interface ToolImage {
  readonly config: object
  readonly layers: readonly Uint8Array[]
}

/** An image of two layers with a shell-less program in it. */
export function aToolImage(inner: object = { Cmd: ['/program'] }): ToolImage {
  const layers = [
    packTar([{ path: 'program', bytes: Buffer.from('x'), mode: 0o755 }]),
    packTar([{ path: 'etc' }, { path: 'etc/name', bytes: Buffer.from('y') }]),
  ]
  const rootfs = { type: 'layers', diff_ids: layers.map(digestOf) }
  return { config: { architecture: 'amd64', os: 'linux', config: inner, rootfs }, layers }
}

/** As `docker save` writes it: with tags, and in whatever order. */
export function dockerArchive(
  { config, layers }: ToolImage,
  options: {
    readonly tags?: readonly string[]
    readonly isReversed?: boolean
    readonly pack?: (bytes: Uint8Array) => Uint8Array
  } = {},
): Uint8Array {
  const { tags = ['some/name:1'], isReversed = false, pack = (bytes) => bytes } = options
  const paths = layers.map((_, at) => `${at}${isReversed ? 'r' : ''}/layer.tar`)
  const manifest = [{ Config: 'c.json', RepoTags: tags, Layers: paths }]
  const members: TarMember[] = [
    { path: 'c.json', bytes: jsonOf(config) },
    { path: 'manifest.json', bytes: jsonOf(manifest) },
    ...layers.map((bytes, at) => ({ path: paths[at] ?? '', bytes: pack(bytes) })),
  ]
  return packTar(isReversed ? members.toReversed() : members)
}

/** The files of an OCI layout. */
export function ociLayout(
  { config, layers }: ToolImage,
  pack: (bytes: Uint8Array) => Uint8Array = (bytes) => bytes,
): readonly TarMember[] {
  const blobs = new Map<string, Uint8Array>()
  const blob = (bytes: Uint8Array) => {
    const digest = digestOf(bytes)
    blobs.set(digest, bytes)
    return { digest, size: bytes.byteLength }
  }
  const manifest = blob(
    jsonOf({ schemaVersion: 2, config: blob(jsonOf(config)), layers: layers.map(pack).map(blob) }),
  )
  const other = { ...blob(jsonOf({})), platform: { os: 'linux', architecture: 'other' } }
  const own = { ...manifest, platform: { os: 'linux', architecture: 'amd64' } }
  return [
    { path: 'oci-layout', bytes: jsonOf({ imageLayoutVersion: '1.0.0' }) },
    { path: 'index.json', bytes: jsonOf({ schemaVersion: 2, manifests: [other, own] }) },
    ...[...blobs].map(([digest, bytes]) => ({ path: `blobs/${digest.replace(':', '/')}`, bytes })),
  ]
}

/** The SHA-256 of bytes as images spell it. */
export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}

/** A value as JSON. */
export function jsonOf(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value))
}
