import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { readTar, type TarEntry } from '../../node/adapters/image/tar-reader.ts'
import type { TarMember } from '../../node/adapters/image/tar-writer.ts'
import { GiB } from '../../node/domain/units.ts'
import { ImageUnavailable } from './unavailable.ts'

/** Debian 12: the release that continuous integration runs on. */
const SUITE = 'bookworm'
/** What programs do not read at run time: papers, translations, other character sets, the package manager's books. */
const LEFT_OUT =
  /^(?:dev|proc|run|sys|tmp|var\/(?:cache|lib\/(?:apt|dpkg)|log)|usr\/share\/(?:bug|doc|info|lintian|locale|man))(?:\/|$)|\/gconv(?:\/|$)/
/** What apt says when no mirror can be reached, as opposed to a package that does not exist. */
const NO_MIRROR =
  /could not resolve|temporary failure|unable to connect|connection (?:failed|timed)/i

const run = promisify(execFile)

/**
 * The files that the Debian packages `names` and all that they depend on put on a disk. Their scripts do not run, so
 * there is no /bin/sh and no alternatives are chosen.
 * @throws ImageUnavailable without mmdebstrap, or when no mirror answers
 */
export async function debianFiles(names: readonly string[]): Promise<readonly TarMember[]> {
  const args = [
    '--variant=extract',
    '--format=tar',
    `--include=${names.join(',')}`,
    // the devices of a root folder of one's own, which an image may not hold
    '--skip=output/dev',
    SUITE,
    '-',
  ]
  try {
    const { stdout } = await run('mmdebstrap', args, { encoding: 'buffer', maxBuffer: 1 * GiB })
    return members([...readTar(stdout)])
  } catch (cause) {
    const { code, stderr } = cause as { readonly code?: unknown; readonly stderr?: Buffer }
    if (code === 'ENOENT') throw new ImageUnavailable('mmdebstrap is not installed', { cause })
    if (NO_MIRROR.test(String(stderr))) {
      throw new ImageUnavailable('no mirror of Debian answers', { cause })
    }
    throw cause
  }
}

function members(entries: readonly TarEntry[]): readonly TarMember[] {
  const byPath = new Map(entries.map((entry) => [entry.path, entry]))
  return entries
    .filter(({ path, kind }) => path !== '' && kind !== 'fifo' && !LEFT_OUT.test(path))
    .toSorted((a, b) => (a.path < b.path ? -1 : 1))
    .map(({ path, kind, link, bytes, mode }): TarMember => {
      if (kind === 'directory') return { path, mode }
      if (kind === 'symlink') return { path, link }
      const content = kind === 'hardlink' ? byPath.get(link)?.bytes : bytes
      return { path, bytes: content ?? new Uint8Array(), mode }
    })
}
