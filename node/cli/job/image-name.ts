import { lacksDigest, parseRegistryImage } from '../../domain/registry-image.ts'

/** Where an image comes from: content, a registry, or this machine: its engine or its files. */
export type ImageForm = 'content' | 'registry' | 'engine' | 'file'

/** CIDs of images: those of blocks. */
const IMAGE_CID = /^bafyrei[a-z2-7]{52}$/

/** Endings of files, where a folder may be called like a registry. */
const FILE = /\.(wasm|tar|tgz|gz|zst)$/i

/** What a user's name of an image is. */
export function formOf(image: string): ImageForm {
  if (IMAGE_CID.test(image)) return 'content'
  if (image.startsWith('docker:')) return 'engine'
  return parseRegistryImage(image) === undefined ? 'file' : 'registry'
}

/** What to do about a name that is no file and can be none of the others either. */
export function nameFault(image: string): string | undefined {
  if (FILE.test(image) || !lacksDigest(image)) return undefined
  const name = image.replace(/@.*$/, '').replace(/:[\w.-]+$/, '')
  return (
    `names an image of a registry without its digest, and a tag may move; write ${name}@sha256:…, as ` +
    '`docker inspect` shows it under RepoDigests, or give the CID of `hive image add docker:TAG`'
  )
}
