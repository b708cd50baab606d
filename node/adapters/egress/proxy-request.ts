import { parseDestination, type Destination } from '../../domain/egress.ts'

/** What a job asks of the proxy: a place to connect to, and for plain HTTP what to ask for there. */
export interface ProxyRequest {
  readonly destination: Destination
  /** Path and query; empty for CONNECT, where the proxy understands nothing of what follows. */
  readonly path: string
}

/** Header fields that belong to one connection and are not passed on. Source: RFC 9110 §7.6.1 and older habits. */
const HOP_BY_HOP = new Set(
  'connection keep-alive proxy-authenticate proxy-authorization proxy-connection te trailer transfer-encoding upgrade'.split(
    ' ',
  ),
)
const DEFAULT_PORT = 80

/** Reads the two things that a proxy serves: `CONNECT host:port`, and any other method with a whole http:// URL. */
export function readProxyRequest(method: string, target: string): ProxyRequest | undefined {
  if (method === 'CONNECT') {
    const destination = parseDestination(target)
    return destination && { destination, path: '' }
  }
  // by hand, because a URL parser forgives: user names, backslashes, tabs within
  const [, authority, rest] = /^http:\/\/([^/?#@\\]+)((?:[/?][!-~]*)?)$/i.exec(target) ?? []
  if (authority === undefined || rest === undefined || rest.includes('#')) return undefined
  const hasPort = /:\d*$/.test(authority) && !/^\[[^\]]*\d*$/.test(authority)
  const destination = parseDestination(hasPort ? authority : `${authority}:${DEFAULT_PORT}`)
  return destination && { destination, path: rest.startsWith('/') ? rest : `/${rest}` }
}

/** The value of Host for a destination: without the port that goes without saying. */
export function hostHeader({ host, port }: Destination): string {
  const name = host.includes(':') ? `[${host}]` : host
  return port === DEFAULT_PORT ? name : `${name}:${port}`
}

/**
 * The fields that go on to the other side, as a flat list of names and values. Left out are those of the connection
 * itself, those that `Connection` names, and `without`, in lower case.
 */
export function passedOn(
  raw: readonly string[],
  without: readonly string[] = [],
): readonly string[] {
  const fields = Array.from({ length: raw.length >> 1 }, (_, at) => ({
    name: raw[2 * at] ?? '',
    value: raw[2 * at + 1] ?? '',
  }))
  const named = fields
    .filter(({ name }) => name.toLowerCase() === 'connection')
    .flatMap(({ value }) => value.split(',').map((one) => one.trim().toLowerCase()))
  const dropped = new Set([...HOP_BY_HOP, ...named, ...without])
  // the length says where the body ends, so no job may have it forgotten
  dropped.delete('content-length')
  return fields
    .filter(({ name }) => !dropped.has(name.toLowerCase()))
    .flatMap(({ name, value }) => [name, value])
}
