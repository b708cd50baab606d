import {
  composeImage,
  imageArchive,
  type ImageParts,
} from '../../node/adapters/image/image-archive.ts'
import { imageArchitecture } from './architecture.ts'
import { debianFiles } from './debian.ts'
import { npmFile } from './npm.ts'

/** How an image is made: what it holds and how it starts. */
type Recipe = () => Promise<Omit<ImageParts, 'architecture'>>

/** Parts of Python's library that no job asks for; half of its size. */
const PYTHON_LEFT_OUT =
  /^usr\/lib\/python3\.11\/(?:idlelib|lib2to3|pydoc_data|test|tkinter)(?:\/|$)/
/** Where programs of another user than root may write. */
const TMP = { path: 'tmp', mode: 0o1777 }

/** The images of real programs: the example jobs run them, and the tests of the sandboxes. */
const RECIPES = {
  python: async () => {
    const files = await debianFiles(['python3.11-minimal', 'libpython3.11-stdlib'])
    return {
      entrypoint: ['/usr/bin/python3.11'],
      env: ['PYTHONDONTWRITEBYTECODE=1'],
      members: [...files.filter(({ path }) => !PYTHON_LEFT_OUT.test(path)), TMP],
    }
  },
  // It keeps settings in its home.
  povray: async () => ({
    entrypoint: ['/usr/bin/povray'],
    env: ['HOME=/tmp'],
    members: [...(await debianFiles(['povray'])), TMP],
  }),
  // One static file; as a Debian package with its libraries it would be seven times larger.
  ffmpeg: async () => {
    const bytes = await npmFile({
      spec: '@ffmpeg-installer/linux-x64@4.1.0',
      integrity:
        'sha512-Y5BWhGLU/WpQjOArNIgXD3z5mxxdV8c41C+U15nsE5yF8tVcdCGet5zPs5Zy3Ta6bU7haGpIzryutqCGQA/W8A==',
      path: 'ffmpeg',
    })
    return {
      entrypoint: ['/bin/ffmpeg'],
      members: [{ path: 'bin' }, { path: 'bin/ffmpeg', bytes, mode: 0o755 }, TMP],
    }
  },
} as const satisfies Readonly<Record<string, Recipe>>

/** A program that an image is made of. */
export type ProgramName = keyof typeof RECIPES
/** Every such program. */
export const PROGRAM_NAMES = Object.keys(RECIPES) as readonly ProgramName[]

/**
 * A docker-archive with one real program. Equal packages, equal bytes.
 * @throws ImageUnavailable when a tool or the network is missing
 */
export async function buildProgramImage(name: ProgramName): Promise<Uint8Array> {
  const parts = await RECIPES[name]()
  const image = composeImage({ architecture: imageArchitecture(), ...parts })
  return Buffer.concat([...imageArchive(image)])
}
