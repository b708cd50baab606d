import { TAR_BLOCK_BYTES } from './tar-reader.ts'

/** One member to write. `path` is relative; directories have no bytes. */
export interface TarMember {
  readonly path: string
  readonly bytes?: Uint8Array
  /** Permission bits; 0644 for files and 0755 for directories unless given. */
  readonly mode?: number
  /** Target, which makes the member a symbolic link. */
  readonly link?: string
  /** An earlier member's path, which makes the member another name of that file. */
  readonly hardLink?: string
  /** Owner and group; 0 unless given. */
  readonly owner?: number
}

/** Bytes of a ustar name field; longer paths go into a pax record. */
const NAME_BYTES = 100
/** What ends an archive. */
export const TAR_END: Uint8Array = new Uint8Array(2 * TAR_BLOCK_BYTES)

/**
 * The members as a tar archive, in pieces and in the order given. Equal members give equal bytes on every machine:
 * no times, no names of users.
 */
export function* writeTar(members: Iterable<TarMember>): Generator<Uint8Array> {
  for (const member of members) yield* writeMember(member)
  yield TAR_END
}

/** One member in pieces, for archives that are made while their members come; TAR_END closes them. */
export function* writeMember(member: TarMember): Generator<Uint8Array> {
  const bytes = member.bytes ?? new Uint8Array()
  const target = member.link ?? member.hardLink
  const isDirectory = member.bytes === undefined && target === undefined
  const name = isDirectory ? `${member.path}/` : member.path
  yield* paxHeader({ path: name, linkpath: target ?? '' })
  const type = isDirectory
    ? '5'
    : target === undefined
      ? '0'
      : member.link === undefined
        ? '1'
        : '2'
  const mode = member.mode ?? (type === '0' || type === '1' ? 0o644 : 0o755)
  yield header(name, type, bytes.length, mode, member.owner ?? 0, target ?? '')
  yield* padded(bytes)
}

/** The whole archive at once, for small ones. */
export function packTar(members: Iterable<TarMember>): Uint8Array<ArrayBuffer> {
  const pieces = [...writeTar(members)]
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0))
  let at = 0
  for (const piece of pieces) {
    whole.set(piece, at)
    at += piece.length
  }
  return whole
}

function* padded(bytes: Uint8Array): Generator<Uint8Array> {
  if (bytes.length > 0) yield bytes
  const rest = bytes.length % TAR_BLOCK_BYTES
  if (rest > 0) yield new Uint8Array(TAR_BLOCK_BYTES - rest)
}

function* paxHeader(values: Readonly<Record<string, string>>): Generator<Uint8Array> {
  const long = Object.entries(values).filter(([, value]) => !fitsName(value))
  if (long.length === 0) return
  const body = Buffer.concat(long.map(([key, value]) => paxRecord(key, value)))
  yield header('pax', 'x', body.length, 0o644, 0, '')
  yield* padded(body)
}

function fitsName(value: string): boolean {
  return value.length <= NAME_BYTES && /^[\x20-\x7e]*$/.test(value)
}

function paxRecord(key: string, value: string): Buffer {
  const rest = Buffer.from(` ${key}=${value}\n`)
  // the length counts its own digits
  let length = rest.length + 1
  while (String(length).length + rest.length !== length) length++
  return Buffer.concat([Buffer.from(String(length)), rest])
}

function header(
  name: string,
  type: string,
  size: number,
  mode: number,
  owner: number,
  link: string,
): Uint8Array {
  const block = Buffer.alloc(TAR_BLOCK_BYTES)
  const octal = (value: number, digits: number, at: number) =>
    block.write(value.toString(8).padStart(digits, '0'), at, 'latin1')
  block.write(fitsName(name) ? name : 'long', 0, NAME_BYTES, 'latin1')
  octal(mode, 7, 100)
  octal(owner, 7, 108)
  octal(owner, 7, 116)
  octal(size, 11, 124)
  octal(0, 11, 136)
  block.write(' '.repeat(8) + type, 148, 'latin1')
  block.write(fitsName(link) ? link : 'long', 157, NAME_BYTES, 'latin1')
  block.write('ustar\x0000', 257, 'latin1')
  octal(
    block.reduce((sum, byte) => sum + byte, 0),
    6,
    148,
  )
  block[154] = 0
  return block
}
