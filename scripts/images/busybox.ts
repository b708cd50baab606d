import { readFile } from 'node:fs/promises'
import { HiveError } from '../../node/domain/errors.ts'
import { composeImage, imageArchive } from '../../node/adapters/image/image-archive.ts'
import { imageArchitecture } from './architecture.ts'

/** Where Debian's busybox-static puts its program: one file, no libraries, so one file makes an image. */
const BUSYBOX = '/bin/busybox'
/** Names that a shell script expects to find. */
const APPLETS = `
  awk cat chmod cp dd echo env expr false grep head id kill ln ls md5sum mkdir mkfifo mount mv od printf ps rm sed seq sh
  sha256sum sleep sort stat tail tar test touch tr true uname unshare usleep wc wget yes
`
  .trim()
  .split(/\s+/)

/**
 * A small Linux image with a shell as a docker-archive, made from this machine's own busybox. Equal busybox, equal
 * bytes.
 * @throws HiveError SPEC_FILE_MISSING when busybox-static is not installed
 */
export async function buildBusyboxImage(): Promise<Uint8Array> {
  const busybox = await readFile(BUSYBOX).catch((cause: unknown) => {
    throw new HiveError(
      'SPEC_FILE_MISSING',
      { path: BUSYBOX, package: 'busybox-static' },
      { cause },
    )
  })
  const image = composeImage({
    architecture: imageArchitecture(),
    cmd: ['sh'],
    env: ['PATH=/bin'],
    workingDir: '/',
    members: [
      { path: 'bin' },
      { path: 'bin/busybox', bytes: busybox, mode: 0o755 },
      ...APPLETS.map((name) => ({ path: `bin/${name}`, link: 'busybox' })),
      { path: 'tmp', mode: 0o1777 },
    ],
  })
  return Buffer.concat([...imageArchive(image)])
}
