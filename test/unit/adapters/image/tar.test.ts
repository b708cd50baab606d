import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readTar } from '../../../../node/adapters/image/tar-reader.ts'
import { packTar, type TarMember } from '../../../../node/adapters/image/tar-writer.ts'

const bytes = Buffer.from('content')

function read(archive: Uint8Array): readonly (readonly string[])[] {
  return [...readTar(archive)].map((entry) => [
    entry.kind,
    entry.path,
    entry.link,
    Buffer.from(entry.bytes).toString(),
  ])
}

/** An archive of one file whose header `change` has altered, with a checksum that fits. */
function altered(
  change: (header: Buffer) => void,
  member: TarMember = { path: 'a', bytes },
): Buffer {
  const archive = Buffer.from(packTar([member]))
  const header = archive.subarray(0, 512)
  change(header)
  header.write(' '.repeat(8), 148, 'latin1')
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return archive
}

/** An archive whose one file is preceded by an extension record. */
function extended(type: string, record: string): Buffer {
  const head = altered((header) => header.write(type, 156, 'latin1'), {
    path: 'x',
    bytes: Buffer.from(record),
  })
  return Buffer.concat([head.subarray(0, -1024), packTar([{ path: 'a', bytes }])])
}

function pax(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`
  const digits = String(rest.length + 2).length
  return `${rest.length + digits}${rest}`
}

test('what is written is read: files, folders, links, long and foreign names', () => {
  const long = `${'d'.repeat(90)}/${'f'.repeat(90)}`
  const archive = packTar([
    { path: 'dir' },
    { path: 'dir/a', bytes },
    { path: 'empty', bytes: new Uint8Array() },
    { path: 'ln', link: 'dir/a' },
    { path: long, bytes, mode: 0o600, owner: 65534 },
    { path: 'naïve 名', link: 'ü'.repeat(80) },
  ])
  assert.deepEqual(read(archive), [
    ['directory', 'dir', '', ''],
    ['file', 'dir/a', '', 'content'],
    ['file', 'empty', '', ''],
    ['symlink', 'ln', 'dir/a', ''],
    ['file', long, '', 'content'],
    ['symlink', 'naïve 名', 'ü'.repeat(80), ''],
  ])
})

test('equal members give equal bytes', () => {
  const members = [{ path: 'd' }, { path: 'd/a', bytes }]
  assert.deepEqual(packTar(members), packTar(members))
})

test('an empty archive and a relative prefix are fine', () => {
  assert.deepEqual(read(packTar([])), [])
  assert.deepEqual(read(packTar([{ path: './a/./b', bytes }]))[0]?.[1], 'a/b')
})

const TRICKS: Readonly<Record<string, Uint8Array>> = {
  'a path that climbs': packTar([{ path: 'a/../../etc/passwd', bytes }]),
  'a pax path that climbs': extended('x', pax('path', '../a')),
  'a GNU long name that climbs': extended('L', '../a\0'),
  'a hard link that climbs': altered((header) => header.write('1', 156, 'latin1'), {
    path: 'a',
    link: '../../etc/shadow',
  }),
  'a character device': altered((header) => header.write('3', 156, 'latin1')),
  'a block device': altered((header) => header.write('4', 156, 'latin1')),
  'an old sparse file': altered((header) => header.write('S', 156, 'latin1')),
  'a pax sparse file': extended('x', pax('GNU.sparse.realsize', '999999999999')),
  'a global header': extended('g', pax('path', 'b')),
  'an unknown type': altered((header) => header.write('Z', 156, 'latin1')),
  'a folder with content': altered((header) => header.write('5', 156, 'latin1')),
  'a file named like a folder': packTar([{ path: 'a/', bytes }]),
  'a file without a name': packTar([{ path: '.', bytes }]),
  'another dialect': altered((header) => header.write('\0\0\0\0\0', 257, 'latin1')),
  'bytes where ustar has none': altered((header) => header.write('tar', 508, 'latin1')),
  'a size past the end': altered((header) => header.write('77777777777', 124, 'latin1')),
  'a size that is no number': altered((header) => header.write('zzzzzzzzzzz', 124, 'latin1')),
  'a binary size beyond all files': altered((header) => header.fill(0xff, 124, 136)),
  'a pax size past the end': extended('x', pax('size', '99999999')),
  'a negative pax size': extended('x', pax('size', '-1')),
  'a path stated twice': extended('x', pax('path', 'b') + pax('path', 'c')),
  'a pax record with a wrong length': extended('x', '99 path=b\n'),
  'a pax record without a length': extended('x', 'path=b\n'),
  'a pax record of length zero': extended('x', '0 path=b\n'),
  'a pax value with a zero byte': extended('x', pax('path', 'b\0c')),
  'a name that is not UTF-8': altered((header) => header.fill(0xff, 0, 4)),
  'a wrong checksum': packTar([{ path: 'a', bytes }]).map((byte, at) => (at === 0 ? 98 : byte)),
  'no end marker': packTar([{ path: 'a', bytes }]).subarray(0, 1024),
  'half an end marker': packTar([{ path: 'a', bytes }]).subarray(0, 1024 + 512),
  'a cut header': packTar([{ path: 'a', bytes }]).subarray(0, 300),
  garbage: new Uint8Array(2048).fill(0x5a),
}

for (const [name, archive] of Object.entries(TRICKS)) {
  test(`refused: ${name}`, () => {
    assert.throws(() => read(archive), { code: 'IMAGE_INVALID' })
  })
}
