/**
 * Who may be meant by an address: `public` anyone's, `private` this machine or a network around it, `never` nobody that
 * a job has business with: link-local (there clouds keep their metadata), multicast, reserved, and addresses that carry
 * another address inside, which would be checked under one number and reached under another.
 */
export type Reach = 'public' | 'private' | 'never'

type Block = readonly [prefix: string, bits: number, reach: Reach]

/** What of IPv4 is not public. Source: IANA's registry of special-purpose addresses. */
const V4: readonly Block[] = [
  ['0.0.0.0', 8, 'never'],
  ['10.0.0.0', 8, 'private'],
  ['100.64.0.0', 10, 'private'],
  ['127.0.0.0', 8, 'private'],
  // the metadata service of most clouds
  ['169.254.0.0', 16, 'never'],
  // and the public address under which one cloud serves its guests' secrets to them
  ['168.63.129.16', 32, 'never'],
  // a carrier's network, but another cloud's metadata
  ['100.100.100.200', 32, 'never'],
  ['172.16.0.0', 12, 'private'],
  ['192.0.0.0', 24, 'never'],
  ['192.0.2.0', 24, 'never'],
  ['192.88.99.0', 24, 'never'],
  ['192.168.0.0', 16, 'private'],
  ['198.18.0.0', 15, 'private'],
  ['198.51.100.0', 24, 'never'],
  ['203.0.113.0', 24, 'never'],
  ['224.0.0.0', 3, 'never'],
]
/** What of IPv6 is not `never`, and the exceptions within. Source: as for IPv4. */
const V6: readonly Block[] = [
  ['2000::', 3, 'public'],
  // Teredo, ORCHID and other protocols' own
  ['2001::', 23, 'never'],
  ['2001:db8::', 32, 'never'],
  // 6to4: holds an IPv4 address
  ['2002::', 16, 'never'],
  ['3fff::', 20, 'never'],
  ['::1', 128, 'private'],
  ['fc00::', 7, 'private'],
  // a cloud's metadata service
  ['fd00:ec2::254', 128, 'never'],
]

/** Reads an address: four plain decimal numbers, or IPv6 without zone. `undefined` for every other spelling. */
export function parseAddress(text: string): Uint8Array | undefined {
  return text.includes(':') ? parseV6(text) : parseV4(text)
}

/** Whom the address reaches; `never` for what is none. */
export function reachOf(text: string): Reach {
  const address = parseAddress(text)
  if (address === undefined) return 'never'
  const [blocks, otherwise] =
    address.length === 4 ? [V4, 'public' as const] : [V6, 'never' as const]
  const found = blocks
    .filter(([prefix, bits]) => isWithin(address, parseAddress(prefix), bits))
    .toSorted(([, a], [, b]) => b - a)
  return found[0]?.[2] ?? otherwise
}

function isWithin(address: Uint8Array, prefix: Uint8Array | undefined, bits: number): boolean {
  if (prefix === undefined || prefix.length !== address.length) return false
  return address.every((byte, at) => {
    const inThis = Math.min(8, Math.max(0, bits - 8 * at))
    const mask = (0xff << (8 - inThis)) & 0xff
    return (byte & mask) === ((prefix[at] ?? 0) & mask)
  })
}

function parseV4(text: string): Uint8Array | undefined {
  const parts = text.split('.')
  // no leading zero: some readers take it for octal
  const isPlain = parts.length === 4 && parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part))
  const numbers = parts.map(Number)
  return isPlain && numbers.every((one) => one <= 255) ? Uint8Array.from(numbers) : undefined
}

function parseV6(text: string): Uint8Array | undefined {
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const [head, tail] = halves.map(wordsOf)
  if (head === undefined || (halves.length === 2 && tail === undefined)) return undefined
  const missing = 8 - head.length - (tail?.length ?? 0)
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined
  const words = [...head, ...Array.from({ length: missing }, () => 0), ...(tail ?? [])]
  return Uint8Array.from(words.flatMap((word) => [word >> 8, word & 0xff]))
}

/** The 16-bit words of one side of `::`; the last two may be written as an IPv4 address. */
function wordsOf(text: string): readonly number[] | undefined {
  if (text === '') return []
  const parts = text.split(':')
  const words: number[] = []
  for (const [at, part] of parts.entries()) {
    if (part.includes('.') && at === parts.length - 1) {
      const inner = parseV4(part)
      if (inner === undefined) return undefined
      const [a = 0, b = 0, c = 0, d = 0] = inner
      words.push((a << 8) | b, (c << 8) | d)
    } else if (/^[0-9a-f]{1,4}$/i.test(part)) words.push(Number.parseInt(part, 16))
    else return undefined
  }
  return words
}
