import { parseAddress, reachOf } from './ip-address.ts'

/** Most destinations that one job may name. */
export const MAX_EGRESS = 8
/** Longest text of one destination, characters; a name may have 253 of its own, which no one types. */
export const MAX_DESTINATION_CHARS = 100

/** One place that a job may connect to. */
export interface Destination {
  /** Lower case, in ASCII, without a final dot; an IPv6 address in its shortest spelling, without brackets. */
  readonly host: string
  readonly port: number
}

/** What a provider lets through: every destination, or a part of them. */
export interface EgressPattern {
  /** The host itself; with `isSuffix`, the name that a host must lie below, where empty stands for any host. */
  readonly host: string
  readonly isSuffix: boolean
  /** `undefined`: any, save {@link UNASKED_PORTS}. */
  readonly port: number | undefined
}

/** What a provider's machine may be used to reach. */
export interface EgressPolicy {
  readonly allow: readonly EgressPattern[]
  /** Whether private and loopback addresses count as well. */
  readonly private: boolean
}

/** Nothing at all, which is what a provider starts with. */
export const NO_EGRESS: EgressPolicy = { allow: [], private: false }

/** Ports that are never meant by "any": mail between servers, which gets a machine's address onto block lists. */
export const UNASKED_PORTS: readonly number[] = [25]

const LABEL = /^(?!-)[a-z0-9_-]{1,63}(?<!-)$/

/** Reads `host:port`, the host a name or an address, IPv6 in brackets. `undefined` when it is anything else. */
export function parseDestination(text: string): Destination | undefined {
  const split = splitPort(text)
  if (split === undefined) return undefined
  const host = parseHost(split.host)
  const port = parsePort(split.port)
  return host === undefined || port === undefined ? undefined : { host, port }
}

/** The one spelling of a destination; {@link parseDestination} reads it back. */
export function destinationText({ host, port }: Destination): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

/** Whether `text` is a destination in its one spelling, as it travels between nodes. */
export function isDestination(text: unknown): text is string {
  if (typeof text !== 'string') return false
  const destination = parseDestination(text)
  return destination !== undefined && destinationText(destination) === text
}

/** Whether `value` is a job's list: at most {@link MAX_EGRESS} destinations, each once and in its one spelling. */
export function isEgress(value: unknown): value is readonly string[] {
  return (
    Array.isArray(value) &&
    value.length <= MAX_EGRESS &&
    value.every(isDestination) &&
    new Set(value).size === value.length
  )
}

/**
 * Reads a line of a provider's policy: `*` for any host, or `HOST:PORT` where the host may be `*` or `*.NAME` and the
 * port `*`. `undefined` when it is anything else.
 */
export function parsePattern(text: string): EgressPattern | undefined {
  if (text === '*') return { host: '', isSuffix: true, port: undefined }
  const split = splitPort(text)
  if (split === undefined) return undefined
  const port = split.port === '*' ? undefined : parsePort(split.port)
  if (port === undefined && split.port !== '*') return undefined
  if (split.host === '*') return { host: '', isSuffix: true, port }
  const isSuffix = split.host.startsWith('*.')
  const host = parseHost(isSuffix ? split.host.slice(2) : split.host)
  if (host === undefined || (isSuffix && isAddress(host))) return undefined
  return { host, isSuffix, port }
}

/** Whether the policy lets a job connect there. Where a name leads is not known yet: see {@link isOpen}. */
export function covers(policy: EgressPolicy, destination: Destination): boolean {
  const { host, port } = destination
  if (isAddress(host) && !isOpen(policy, host)) return false
  return policy.allow.some((pattern) => {
    const isPort =
      pattern.port === undefined ? !UNASKED_PORTS.includes(port) : pattern.port === port
    if (!isPort) return false
    if (!pattern.isSuffix) return pattern.host === host
    return pattern.host === '' || host.endsWith(`.${pattern.host}`)
  })
}

/** Which of a job's destinations the policy does not let through. What is no destination counts as one. */
export function uncovered(policy: EgressPolicy, egress: readonly string[]): readonly string[] {
  return egress.filter((text) => {
    const destination = parseDestination(text)
    return destination === undefined || !covers(policy, destination)
  })
}

/** Whether a connection to `address`, a number and not a name, is within the policy. */
export function isOpen(policy: Pick<EgressPolicy, 'private'>, address: string): boolean {
  const reach = reachOf(address)
  return reach === 'public' || (reach === 'private' && policy.private)
}

function isAddress(host: string): boolean {
  return parseAddress(host) !== undefined
}

function splitPort(text: string): { readonly host: string; readonly port: string } | undefined {
  if (text.length > MAX_DESTINATION_CHARS) return undefined
  const colon = text.lastIndexOf(':')
  return colon < 0 ? undefined : { host: text.slice(0, colon), port: text.slice(colon + 1) }
}

function parsePort(text: string): number | undefined {
  const port = /^[1-9]\d{0,4}$/.test(text) ? Number(text) : 0
  return port > 0 && port <= 65_535 ? port : undefined
}

function parseHost(text: string): string | undefined {
  const inner = /^\[(.*)\]$/.exec(text)?.[1]
  if (inner !== undefined) {
    if (!inner.includes(':') || parseAddress(inner) === undefined) return undefined
    return new URL(`http://[${inner}]`).hostname.slice(1, -1)
  }
  // what a URL takes for something else than a host, or silently leaves out
  if (/[\p{C}\p{Z}\s:/\\?#@%[\]<>^|]/u.test(text)) return undefined
  // the final dot goes before the name is read, so that it hides no number from the rule below
  const bare = text.endsWith('.') ? text.slice(0, -1) : text
  const url = `http://${bare}`
  if (!URL.canParse(url)) return undefined
  const { hostname: host } = new URL(url)
  if (parseAddress(host) !== undefined) return host === bare ? host : undefined
  return host.split('.').every((label) => LABEL.test(label)) ? host : undefined
}
