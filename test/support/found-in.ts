import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** The files below `folders` that hold one of the texts, on the disks that the folders themselves are on: mounts are passed over. */
export async function filesWith(
  texts: readonly string[],
  ...folders: readonly string[]
): Promise<string[]> {
  const grep = ['-exec', 'grep', '-laF', ...texts.flatMap((text) => ['-e', text]), '{}', '+']
  try {
    const { stdout } = await run('find', [...folders, '-xdev', '-type', 'f', ...grep])
    return stdout.split('\n').filter((line) => line !== '')
  } catch (error) {
    // find says 1 when grep found nothing, or a file went away meanwhile; what it found is still its output
    const { stdout } = error as { readonly stdout?: string }
    if (stdout === undefined) throw error
    return stdout.split('\n').filter((line) => line !== '')
  }
}
