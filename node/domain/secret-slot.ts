/** Where a task finds a secret: in a variable, or in a file. The value is in no spec. */
export type SecretSlot = { readonly name: string } & (
  { readonly env: string; readonly path?: never } | { readonly path: string; readonly env?: never }
)

/** Values by the names of their slots. Never in a record, an answer or a log: only sealed, or on the way to a task. */
export type SecretValues = ReadonlyMap<string, Uint8Array>

/** Most secrets of one job. */
export const MAX_SECRETS = 32

/** What a secret may be called: it is printed, and typed before `=`. */
export const SECRET_NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/

interface At {
  readonly path: string
}

/** What of a job its secrets must not collide with. */
export interface SecretSurroundings {
  readonly secrets?: readonly SecretSlot[]
  readonly env: Readonly<Record<string, string>>
  readonly files: readonly At[]
  readonly inputs: readonly { readonly files: readonly At[] }[]
  readonly outputs: string
}

/** What is wrong with where a job wants its secrets, or `undefined`. */
export function secretSlotFault(spec: SecretSurroundings): string | undefined {
  const { secrets = [] } = spec
  if (secrets.length > MAX_SECRETS) return `at most ${MAX_SECRETS} secrets`
  if (!secrets.every(({ name }) => SECRET_NAME.test(name)))
    return 'letters, digits, _ . - in each name'
  const names = new Set(secrets.map(({ name }) => name))
  const places = new Set(secrets.map(({ env, path }) => env ?? path))
  if (names.size < secrets.length) return 'one entry for each name'
  if (places.size < secrets.length) return 'one secret for each variable and path'
  const given = new Set(
    [...spec.files, ...spec.inputs.flatMap(({ files }) => files)].map(({ path }) => path),
  )
  for (const { env, path } of secrets) {
    if (env !== undefined && Object.hasOwn(spec.env, env)) return 'no variable that env sets too'
    if (path === undefined) continue
    if (given.has(path)) return 'no path that files gives too'
    // what lies there comes back as a result, and is published as content
    if (`${path}/`.startsWith(`${spec.outputs}/`)) return 'no path in the outputs folder'
  }
  return undefined
}
