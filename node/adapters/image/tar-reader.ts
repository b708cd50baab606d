import { HiveError } from '../../domain/errors.ts'
import { MAX_PATH_CHARS } from '../../protocol/limits.ts'

/** Tar's unit, bytes. Source: POSIX.1-2017, pax interchange format. */
export const TAR_BLOCK_BYTES = 512
/** Largest pax or long-name record, bytes; a path is at most MAX_PATH_CHARS, the rest is slack for times. */
const MAX_EXTENSION_BYTES = 8 * 1024
/** Longest link target, characters; PATH_MAX of Linux. */
const MAX_LINK_CHARS = 4096

/** What an entry is. Anything else in an archive is refused. */
type TarKind = 'file' | 'hardlink' | 'symlink' | 'directory' | 'fifo'

/** One member of an archive; `bytes` is a view, never a copy. */
export interface TarEntry {
  readonly kind: TarKind
  /** Relative, without `.` or `..` parts and without a slash at either end; empty for the root itself. */
  readonly path: string
  /** Target of a link; empty otherwise. */
  readonly link: string
  readonly bytes: Uint8Array
  /** Permission bits, those that lend a user's or group's rights or keep a folder's files to their owners included. */
  readonly mode: number
}

const KINDS: Readonly<Record<string, TarKind>> = {
  '\0': 'file',
  '0': 'file',
  '1': 'hardlink',
  '2': 'symlink',
  '5': 'directory',
  '6': 'fifo',
}

/** What extension records said about the entry that follows them. */
interface Extension {
  path?: string
  link?: string
  size?: number
}

/**
 * Reads a tar archive strictly. What two readers might understand differently is refused, because another reader
 * will see these bytes after us: sparse files, devices, other dialects, bad checksums, paths that climb.
 * @throws HiveError IMAGE_INVALID with the broken rule.
 */
export function* readTar(archive: Uint8Array): Generator<TarEntry> {
  let at = 0
  let extension: Extension = {}
  for (;;) {
    const header = archive.subarray(at, at + TAR_BLOCK_BYTES)
    if (header.length < TAR_BLOCK_BYTES) throw refused('the archive ends without its end marker')
    if (header.every((byte) => byte === 0)) break
    checkHeader(header)
    const type = String.fromCharCode(header[156] ?? 0)
    const isExtension = type === 'x' || type === 'L' || type === 'K'
    const size = isExtension ? readSize(header) : (extension.size ?? readSize(header))
    const from = at + TAR_BLOCK_BYTES
    if (size > archive.length - from) throw refused('an entry is longer than its archive')
    at = from + Math.ceil(size / TAR_BLOCK_BYTES) * TAR_BLOCK_BYTES
    const bytes = archive.subarray(from, from + size)
    if (isExtension) {
      readExtension(type, bytes, extension)
      continue
    }
    yield readEntry(header, type, bytes, extension)
    extension = {}
  }
  const end = archive.subarray(at, at + 2 * TAR_BLOCK_BYTES)
  if (end.length < 2 * TAR_BLOCK_BYTES || end.some((byte) => byte !== 0)) {
    throw refused('the end marker is cut short')
  }
}

function readEntry(
  header: Uint8Array,
  type: string,
  bytes: Uint8Array,
  extension: Extension,
): TarEntry {
  const kind = KINDS[type]
  if (kind === undefined) throw refused(`entry type '${type}' is not allowed`)
  if (kind !== 'file' && bytes.length > 0) throw refused(`a ${kind} carries content`)
  const prefix = header[262] === 0 ? text(header, 345, 155) : ''
  const own = text(header, 0, 100)
  const name = extension.path ?? (prefix === '' ? own : `${prefix}/${own}`)
  const path = cleanPath(name)
  // NOTE: some readers take a file whose name ends in a slash for a directory
  if (kind === 'file' && (path === '' || name.endsWith('/'))) throw refused('a file has no name')
  const isLink = kind === 'hardlink' || kind === 'symlink'
  const link = isLink ? (extension.link ?? text(header, 157, 100)) : ''
  if (isLink && (link === '' || link.length > MAX_LINK_CHARS)) throw refused('a link has no target')
  const mode = readOctal(header, 100, 8) & 0o7777
  return { kind, path, link: kind === 'hardlink' ? cleanPath(link) : link, bytes, mode }
}

/** The path without its decoration, or a refusal: nothing may climb or hide behind odd spelling. */
function cleanPath(path: string): string {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.')
  const clean = parts.join('/')
  if (parts.includes('..')) throw refused('a path climbs out of its archive')
  if (clean.length > MAX_PATH_CHARS) throw refused('a path is too long')
  return clean
}

function checkHeader(header: Uint8Array): void {
  let sum = 0
  for (let i = 0; i < TAR_BLOCK_BYTES; i++) sum += i >= 148 && i < 156 ? 0x20 : (header[i] ?? 0)
  if (readOctal(header, 148, 8) !== sum) throw refused('a header has a wrong checksum')
  const magic = String.fromCharCode(...header.subarray(257, 265))
  const isUstar = magic === 'ustar\x0000'
  if (!isUstar && magic !== 'ustar  \0') throw refused('only ustar, pax and GNU archives are read')
  // NOTE: GNU keeps times and sparse maps where ustar keeps the prefix; readers differ on those bytes
  const mustBeZero = header.subarray(isUstar ? 500 : 345)
  if (mustBeZero.some((byte) => byte !== 0)) throw refused('a header has bytes in a reserved place')
}

function readSize(header: Uint8Array): number {
  const first = header[124] ?? 0
  if ((first & 0x80) === 0) return readOctal(header, 124, 12)
  let size = first & 0x7f
  for (let i = 125; i < 136; i++) size = size * 256 + (header[i] ?? 0)
  if (!Number.isSafeInteger(size)) throw refused('a size is not a number')
  return size
}

function readOctal(header: Uint8Array, at: number, length: number): number {
  const digits = text(header, at, length).trim()
  if (!/^[0-7]+$/.test(digits)) throw refused('a number is not octal')
  return Number.parseInt(digits, 8)
}

function readExtension(type: string, bytes: Uint8Array, into: Extension): void {
  if (bytes.length > MAX_EXTENSION_BYTES) throw refused('an extension header is too long')
  if (type === 'x') readPax(bytes, into)
  else say(into, type === 'L' ? 'path' : 'link', text(bytes, 0, bytes.length))
}

/** Readers disagree on which of two statements wins, so there may be only one. */
function say(into: Extension, key: 'path' | 'link', value: string): void {
  if (value === '' || into[key] !== undefined) throw refused(`an entry states its ${key} twice`)
  into[key] = value
}

function readPax(bytes: Uint8Array, into: Extension): void {
  let at = 0
  while (at < bytes.length) {
    const space = bytes.indexOf(0x20, at)
    const length = space < 0 ? Number.NaN : Number(text(bytes, at, space - at))
    const record = bytes.subarray(space + 1, at + length)
    const equals = record.indexOf(0x3d)
    const isWhole = at + length <= bytes.length && record.at(-1) === 0x0a && equals > 0
    if (!Number.isInteger(length) || !isWhole) throw refused('a pax record is malformed')
    const value = record.subarray(equals + 1, -1)
    if (value.includes(0)) throw refused('a pax record holds a zero byte')
    applyPax(text(record, 0, equals), text(value, 0, value.length), into)
    at += length
  }
}

function applyPax(key: string, value: string, into: Extension): void {
  if (key.startsWith('GNU.sparse.')) throw refused('sparse files are not allowed')
  if (key === 'path') say(into, 'path', value)
  else if (key === 'linkpath') say(into, 'link', value)
  else if (key === 'size') {
    if (!/^\d{1,15}$/.test(value) || into.size !== undefined) throw refused('a pax size is wrong')
    into.size = Number(value)
  }
}

const UTF8 = new TextDecoder('utf-8', { fatal: true })

/** The zero-terminated text in a field. */
function text(bytes: Uint8Array, at: number, length: number): string {
  const field = bytes.subarray(at, at + length)
  const end = field.indexOf(0)
  try {
    return UTF8.decode(end < 0 ? field : field.subarray(0, end))
  } catch (cause) {
    throw refused('a name is not UTF-8', cause)
  }
}

function refused(rule: string, cause?: unknown): HiveError {
  return new HiveError('IMAGE_INVALID', { rule }, { cause })
}
