import { execFileSync } from 'node:child_process'

/** A machine on which a program is there and cannot be run, for what is started through it. */
export interface BrokenProgram {
  /** A program and its arguments that start others. */
  readonly through: readonly string[]
  /** Why it is as whole there as everywhere, or `false`. */
  readonly missing: string | false
}

/** Covers the program, where it is installed, in a mount namespace of what is started. */
export function brokenProgram(name: string): BrokenProgram {
  const cover = `
for folder in /usr/local/bin /usr/bin /bin; do
  [ ! -e "$folder/${name}" ] || mount --bind /dev/null "$folder/${name}" || exit 1
done
exec "$@"`
  const through = ['unshare', '--mount', 'sh', '-c', cover, 'sh']
  const [command = '', ...args] = through
  try {
    execFileSync(command, [...args, 'true'], { stdio: 'ignore' })
    return { through, missing: false }
  } catch {
    return { through: [], missing: 'skipped: no mount namespaces here, to cover a program in' }
  }
}
