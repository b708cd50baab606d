/** An image of a registry, pinned by its digest: whatever the registry's names come to mean, it stays the same. */
export interface RegistryImage {
  /** `host` or `host:port`. */
  readonly registry: string
  /** Path of the image there. */
  readonly name: string
  /** SHA-256 of its manifest, lower-case hex. */
  readonly sha256: string
}

/** Longest name of a registry, characters; it stands in an offer's class. */
export const MAX_REGISTRY_CHARS = 80
/** Longest name of an image with its registry, characters. Source: distribution's limit on names. */
export const MAX_REPOSITORY_CHARS = 255

const HOST = /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[1-9][0-9]{0,4})?$/
const NAME = /^[a-z0-9]+([._-]+[a-z0-9]+)*(\/[a-z0-9]+([._-]+[a-z0-9]+)*)*$/

/** Whether `text` names a registry. A plain word is none: it would be a folder somewhere. */
export function isRegistry(text: string): boolean {
  const isHost = /[.:]/.test(text) || text === 'localhost'
  return isHost && text.length <= MAX_REGISTRY_CHARS && HOST.test(text)
}

/** Registry and name of a repository such as `registry.example/team/app`; `undefined` for anything else. */
export function parseRepository(text: string): Omit<RegistryImage, 'sha256'> | undefined {
  const slash = text.indexOf('/')
  const [registry, name] = [text.slice(0, slash), text.slice(slash + 1)]
  const fits = text.length <= MAX_REPOSITORY_CHARS && isRegistry(registry) && NAME.test(name)
  return slash > 0 && fits ? { registry, name } : undefined
}

/** The image that `registry.example/team/app@sha256:…` pins; `undefined` for anything else. */
export function parseRegistryImage(text: string): RegistryImage | undefined {
  const [, repository = '', sha256 = ''] = /^(.*)@sha256:([0-9a-f]{64})$/.exec(text) ?? []
  const found = parseRepository(repository)
  return found === undefined ? undefined : { ...found, sha256 }
}

/** Whether `text` would name an image of a registry if it said which one exactly. */
export function lacksDigest(text: string): boolean {
  return parseRepository(text.replace(/@.*$/, '').replace(/:[\w.-]+$/, '')) !== undefined
}
