import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  covers,
  destinationText,
  isDestination,
  isEgress,
  isOpen,
  MAX_DESTINATION_CHARS,
  MAX_EGRESS,
  NO_EGRESS,
  parseDestination,
  parsePattern,
  uncovered,
  type EgressPolicy,
} from '../../../node/domain/egress.ts'
import { reachOf } from '../../../node/domain/ip-address.ts'

const texts = (given: readonly string[]) =>
  given.map((text) => {
    const read = parseDestination(text)
    return read && destinationText(read)
  })

const policy = (allow: readonly string[], isPrivate = false): EgressPolicy => ({
  allow: allow.map((text) => {
    const pattern = parsePattern(text)
    assert.ok(pattern, text)
    return pattern
  }),
  private: isPrivate,
})

test('a destination has one spelling: lower case, no final dot, ASCII, the shortest IPv6', () => {
  const given = ['Example.ORG.:443', 'bücher.example:80', '1.2.3.4.:1', '[2A00:0:0:0::1]:65535']
  const one = ['example.org:443', 'xn--bcher-kva.example:80', '1.2.3.4:1', '[2a00::1]:65535']
  assert.deepEqual(texts(given), one)
  assert.deepEqual(texts(one), one)
  assert.ok(one.every(isDestination))
  assert.ok(!given.slice(0, 2).some(isDestination))
})

test('an address in any spelling but the plain one is no destination', () => {
  const disguised =
    '127.1 0x7f.0.0.1 2130706433 010.0.0.1 0177.0.0.1 １２７.0.0.1 [1.2.3.4] name.1 name.0x1 1.2.3 256.1.1.1'
  for (const host of disguised.split(' '))
    assert.equal(parseDestination(`${host}:80`), undefined, host)
})

test('what is no host and port is no destination', () => {
  const wrong = [
    ['', 'x', ':80', 'a', 'a:', 'a:0', 'a:080', 'a:65536', 'a:-1', 'a:1e3', 'a: 1', ' a:1'],
    ['a..b:1', '.:1', '..:1', '.a:1', 'a..:1', '-a:1', 'a-:1', '*:1', '*.a:1', 'a@b:1', 'a/b:1'],
    ['a%2eb:1', 'a\tb:1', 'a\0b:1', 'a\r\nb:1', 'a#b:1', 'a?b:1', 'a\\b:1', 'a:b:1'],
    ['[::1%eth0]:1', '[1::2::3]:1', '[::1:1', '::1:1', '[12345::]:1', '[]:1', '[::1.2.3]:1'],
    [`${'a.'.repeat(MAX_DESTINATION_CHARS)}org:443`],
  ].flat()
  for (const text of wrong) assert.equal(parseDestination(text), undefined, JSON.stringify(text))
  assert.equal(isDestination(7), false)
})

test('a list of destinations is short, and each stands in it once', () => {
  const list = Array.from({ length: MAX_EGRESS }, (_, at) => `example.org:${at + 1}`)
  assert.ok(isEgress(list) && isEgress([]))
  const wrong = [
    [...list, 'example.net:1'],
    ['a.org:1', 'a.org:1'],
    ['A.org:1'],
    [7],
    'a.org:1',
    {},
  ]
  for (const value of wrong) assert.equal(isEgress(value), false, JSON.stringify(value))
})

test('a provider lets nothing through unless its policy says so', () => {
  assert.deepEqual(uncovered(NO_EGRESS, ['example.org:443']), ['example.org:443'])
  assert.deepEqual(uncovered(NO_EGRESS, []), [])
})

test('a pattern covers exactly its host and port, or what lies below a name', () => {
  const cases: readonly (readonly [string, string, boolean])[] = [
    ['example.org:443', 'example.org:443', true],
    ['EXAMPLE.org.:443', 'example.org:443', true],
    ['example.org:443', 'example.org:80', false],
    ['example.org:443', 'www.example.org:443', false],
    ['example.org:443', 'example.org.evil.net:443', false],
    ['example.org:*', 'example.org:8080', true],
    ['*.example.org:443', 'a.b.example.org:443', true],
    ['*.example.org:443', 'example.org:443', false],
    ['*.example.org:443', 'badexample.org:443', false],
    ['*:443', 'anything.example:443', true],
    ['*:443', 'anything.example:80', false],
    ['*', 'anything.example:80', true],
    ['*', '93.184.215.14:80', true],
    ['*', 'anything.example:25', false],
    ['*:25', 'anything.example:25', true],
  ]
  for (const [pattern, destination, expected] of cases) {
    const isCovered = uncovered(policy([pattern]), [destination]).length === 0
    assert.equal(isCovered, expected, `${pattern} ${destination}`)
  }
})

test('a private address is covered only where the policy says private, metadata nowhere', () => {
  const inside = ['127.0.0.1:80', '10.0.0.1:80', '[::1]:80', '[fd00::1]:80']
  const never = ['169.254.169.254:80', '168.63.129.16:80', '[fe80::1]:80', '[::ffff:8.8.8.8]:80']
  assert.deepEqual(uncovered(policy(['*']), [...inside, ...never]), [...inside, ...never])
  assert.deepEqual(uncovered(policy(['*'], true), [...inside, ...never]), never)
  assert.ok(!covers(policy(['169.254.169.254:80'], true), { host: '169.254.169.254', port: 80 }))
})

test('what is no pattern is refused, and no address has anything below it', () => {
  for (const text of ['', '*.', '*.*:1', '**:1', 'a.*:1', 'a', '*.1.2.3.4:1', '*.[::1]:1', '*:0'])
    assert.equal(parsePattern(text), undefined, text)
})

test('addresses are sorted into public, private and never', () => {
  const sorted = {
    public:
      '1.1.1.1 93.184.215.14 100.63.255.255 100.128.0.0 172.15.0.1 172.32.0.1 192.0.1.1 2606:4700::1111 2001:200::1',
    private:
      '10.255.255.255 127.0.0.1 127.255.255.254 100.64.0.1 172.16.0.1 172.31.255.255 192.168.0.1 198.19.0.1 ::1 fc00::1 fdff::1',
    never:
      '0.0.0.0 0.1.2.3 169.254.169.254 169.254.0.1 168.63.129.16 100.100.100.200 192.0.0.192 192.0.2.1 192.88.99.1 224.0.0.1 239.1.1.1 240.0.0.1 255.255.255.255 ' +
      ':: fe80::1 fec0::1 ff02::1 ::ffff:1.1.1.1 ::ffff:0:1.1.1.1 ::1.1.1.1 ::ffff:7f00:1 64:ff9b::1.1.1.1 64:ff9b:1::1 2001::1 2001:db8::1 2002:0101:0101:: 3fff::1 5f00::1 fd00:ec2::254 100::1 ' +
      '1.2.3 01.2.3.4 1.2.3.4.5 example.org ::1%lo 1::2::3 1:2:3:4:5:6:7 1:2:3:4:5:6:7:8:9 1:2:3:4:5:6:7::8:9 :1 1: ::g',
  }
  for (const [reach, addresses] of Object.entries(sorted))
    for (const address of addresses.split(' ')) assert.equal(reachOf(address), reach, address)
})

test('an open address is a public one, or a private one of a lab', () => {
  assert.deepEqual(
    ['1.1.1.1', '10.0.0.1', '169.254.169.254'].map((address) => [
      isOpen({ private: false }, address),
      isOpen({ private: true }, address),
    ]),
    [
      [true, true],
      [false, true],
      [false, false],
    ],
  )
})
