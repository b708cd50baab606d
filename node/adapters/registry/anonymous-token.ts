import { HiveError } from '../../domain/errors.ts'
import type { RegistryImage } from '../../domain/registry-image.ts'
import { KiB } from '../../domain/units.ts'
import { boundedBody } from './bounded-body.ts'

const MAX_TOKEN_BYTES: number = 64 * KiB

/**
 * The token that a registry gives to anybody for reading one repository. Source: distribution's token authentication.
 * @throws HiveError CONTENT_NOT_FOUND when it gives none
 */
export async function anonymousToken(
  fetch: typeof globalThis.fetch,
  challenge: string,
  { name }: RegistryImage,
  signal: AbortSignal,
): Promise<string> {
  const says = (key: string) => new RegExp(`${key}="([^"]*)"`, 'i').exec(challenge)?.[1]
  const realm = says('realm') ?? ''
  if (!/^bearer /i.test(challenge) || !URL.canParse(realm) || new URL(realm).protocol !== 'https:')
    throw refused(challenge)
  const url = new URL(realm)
  const service = says('service')
  if (service !== undefined) url.searchParams.set('service', service)
  url.searchParams.set('scope', `repository:${name}:pull`)
  const answer = await fetch(url, { signal })
  const said: unknown = answer.ok
    ? JSON.parse(Buffer.from(await boundedBody(answer, MAX_TOKEN_BYTES)).toString())
    : undefined
  const { token, access_token: other } = (said ?? {}) as Readonly<Record<string, unknown>>
  const found = token ?? other
  if (typeof found !== 'string') throw refused(challenge)
  return found
}

function refused(challenge: string): HiveError {
  return new HiveError('CONTENT_NOT_FOUND', { said: challenge.slice(0, 200) })
}
