/** Where a task finds a secret: in a variable, or in a file. The value is in no spec. */
export type SecretSlot = { readonly name: string } & (
  { readonly env: string; readonly path?: never } | { readonly path: string; readonly env?: never }
)

/** Most secrets of one job. */
export const MAX_SECRETS = 32
