import assert from 'node:assert/strict'
import { test } from 'node:test'
import { destinationText } from '../../../../node/domain/egress.ts'
import {
  hostHeader,
  passedOn,
  readProxyRequest,
} from '../../../../node/adapters/egress/proxy-request.ts'

const read = (method: string, target: string) => {
  const found = readProxyRequest(method, target)
  return found && [destinationText(found.destination), found.path]
}

test('CONNECT names a host and a port, and nothing else', () => {
  assert.deepEqual(read('CONNECT', 'Example.org.:443'), ['example.org:443', ''])
  assert.deepEqual(read('CONNECT', '[2A00::1]:443'), ['[2a00::1]:443', ''])
  const wrong =
    'example.org http://example.org:443 /path * user@example.org:443 example.org:443/ example.org:443:80 2130706433:80 [::1%lo]:80 [::ffff:127.0.0.1:80'
  for (const target of wrong.split(' ')) assert.equal(read('CONNECT', target), undefined, target)
})

test('a plain request has a whole URL, whose path goes on as it came', () => {
  const cases: readonly (readonly [string, string, string])[] = [
    ['http://example.org', 'example.org:80', '/'],
    ['HTTP://Example.ORG/a/../b?c=%41#'.slice(0, -1), 'example.org:80', '/a/../b?c=%41'],
    ['http://example.org?q', 'example.org:80', '/?q'],
    ['http://example.org:8080/http://other.org/', 'example.org:8080', '/http://other.org/'],
    ['http://[2a00::80]/x', '[2a00::80]:80', '/x'],
    ['http://[2a00::80]:81/x', '[2a00::80]:81', '/x'],
    ['http://example.org/@other.org/', 'example.org:80', '/@other.org/'],
  ]
  for (const [target, place, path] of cases)
    assert.deepEqual(read('GET', target), [place, path], target)
})

test('a URL that two readers could take for different places is no request', () => {
  const wrong = [
    '/',
    '*',
    'example.org:80',
    '//example.org/',
    'https://example.org/',
    'ftp://example.org/',
    'http:/example.org/',
    'http:///example.org/',
    'http://user@example.org/',
    'http://example.org@other.org/',
    'http://example.org\\@other.org/',
    'http://example.org\\.other.org/',
    'http://example.org#@other.org/',
    'http://example.org/#x',
    'http://example.org:/',
    'http://example.org:80:81/',
    'http://example.org:0x50/',
    'http://exam\tple.org/',
    'http://example.org /',
    'http://example.org/ HTTP/1.1',
    'http://example.org/\r\nHost: other.org',
    'http://example.org/\u00e9',
    'http://0x7f.1/',
    'http://2130706433/',
    'http://127.1/',
    'http://[::1%25lo]/',
    'http://::1/',
    '',
  ]
  for (const target of wrong) assert.equal(read('GET', target), undefined, JSON.stringify(target))
})

test('Host is the destination’s, without the port that goes without saying', () => {
  assert.equal(hostHeader({ host: 'example.org', port: 80 }), 'example.org')
  assert.equal(hostHeader({ host: 'example.org', port: 81 }), 'example.org:81')
  assert.equal(hostHeader({ host: '2a00::1', port: 81 }), '[2a00::1]:81')
})

test('fields of the connection stay on it, those that Connection names too, but never the length', () => {
  const raw = [
    ['Host', 'other.org', 'Connection', 'close, X-Secret , content-length', 'x-secret', '1'],
    ['Proxy-Authorization', 'Basic x', 'Proxy-Connection', 'keep-alive', 'Upgrade', 'h2c'],
    ['TE', 'trailers', 'Transfer-Encoding', 'chunked', 'Keep-Alive', 'timeout=5'],
    ['Content-Length', '3', 'Accept', 'a', 'accept', 'b', 'Cookie', 'c'],
  ].flat()
  assert.deepEqual(passedOn(raw, ['host']), [
    'Content-Length',
    '3',
    'Accept',
    'a',
    'accept',
    'b',
    'Cookie',
    'c',
  ])
})
