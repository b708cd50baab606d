import { parseDestination } from '../../domain/egress.ts'

/** Where a job finds its proxy, on a loopback that is its own. */
export const PROXY_HOST = '127.0.0.1'
/** The port that proxies have by custom; a job that serves something itself takes another. */
export const PROXY_PORT = 3128

/** Variables by which programs find a proxy; some read the one spelling, some the other. */
const NAMES = ['http_proxy', 'https_proxy', 'all_proxy']
/** What a job serves to itself. */
const OWN_HOSTS = ['localhost', '127.0.0.1', '::1']

/** What a job that may reach `destinations` is given, so that its programs use the proxy by themselves. */
export function proxyEnvironment(
  destinations: readonly string[],
): Readonly<Record<string, string>> {
  const hosts = new Set(destinations.map((one) => parseDestination(one)?.host))
  const direct = OWN_HOSTS.filter((host) => !hosts.has(host)).join(',')
  const lower = [
    ...NAMES.map((name) => [name, `http://${PROXY_HOST}:${PROXY_PORT}`] as const),
    ['no_proxy', direct] as const,
  ]
  const upper = lower.map(([name, value]) => [name.toUpperCase(), value] as const)
  // Node does not look at the others without it
  return Object.fromEntries([...lower, ...upper, ['NODE_USE_ENV_PROXY', '1']])
}
