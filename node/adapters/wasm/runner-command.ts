import { dirname, extname, resolve } from 'node:path'
import { findPackageJSON } from 'node:module'

/** How strong the walls around the runner are. */
export const ISOLATIONS = ['bubblewrap', 'node permission model'] as const
export type Isolation = (typeof ISOLATIONS)[number]

/** A command line that starts a runner. */
export interface RunnerCommand {
  readonly isolation: Isolation
  readonly command: string
  readonly args: readonly string[]
}

/** Nobody, on every Linux. */
const NOBODY = '65534'
/** The descriptor Node gives to a child's IPC channel: the first after stdio. */
const CHANNEL_FD = '3'
/** Where the sources are inside bubblewrap. */
const APP = '/app'

const here = import.meta.dirname
const tree = resolve(here, '../..')
const main = `runner/main${extname(import.meta.filename)}`

/** The permission model warns about the threads that the runner is made of. */
const NODE_FLAGS = ['--disallow-code-generation-from-strings', '--no-addons', '--no-warnings']
/** The runner's own heap is small and short-lived; guests have theirs outside of it. */
const LEAN_FLAGS = ['--max-semi-space-size=1']

/** The command for `isolation`; whether it works here shows when it is started. */
export function runnerCommand(isolation: Isolation, threads: number): RunnerCommand {
  if (isolation === 'bubblewrap') return bubblewrapped(threads)
  const read = readable().map((path) => `--allow-fs-read=${path}`)
  const args = nodeArgs(read, resolve(here, main), threads)
  return { isolation, command: process.execPath, args }
}

function bubblewrapped(threads: number): RunnerCommand {
  const bind = (from: string, to = from) => ['--ro-bind', from, to]
  const inside = (path: string) => `${APP}/${path.slice(dirname(tree).length + 1)}`
  const sources = readable().flatMap((path) => bind(path, inside(path)))
  const env = (name: string, value: string) => ['--setenv', name, value]
  const walls = '--unshare-all --die-with-parent --new-session --cap-drop ALL --clearenv'.split(' ')
  const nobody = ['--uid', NOBODY, '--gid', NOBODY, '--hostname', 'runner']
  const args = [
    ...walls,
    ...nobody,
    ...env('NODE_CHANNEL_FD', CHANNEL_FD),
    ...env('NODE_CHANNEL_SERIALIZATION_MODE', 'advanced'),
    ...bind(process.execPath, '/node'),
    ...sharedLibraries().flatMap((path) => bind(path)),
    ...sources,
    ...'--remount-ro / --chdir / -- /node'.split(' '),
    ...nodeArgs([`--allow-fs-read=${APP}`], `${inside(here)}/${main}`, threads),
  ]
  return { isolation: 'bubblewrap', command: 'bwrap', args }
}

function nodeArgs(read: readonly string[], script: string, threads: number): string[] {
  return [
    ...NODE_FLAGS,
    ...LEAN_FLAGS,
    '--permission',
    '--allow-worker',
    ...read,
    script,
    String(threads),
  ]
}

/** What the runner is made of: this folder, the domain, and the file that says they are modules. */
function readable(): string[] {
  const manifest = findPackageJSON(import.meta.url)
  return [here, resolve(tree, 'domain'), ...(manifest === undefined ? [] : [manifest])]
}

// What this very Node is linked with, as the loader says; add-ons of the node are none of the runner's.
function sharedLibraries(): string[] {
  // Looking up the names of network peers would take seconds.
  Object.assign(process.report, { excludeNetwork: true })
  const report = process.report.getReport() as { sharedObjects?: readonly string[] }
  return (report.sharedObjects ?? []).filter((path) => /^\/.*\.so(\.\d+)*$/.test(path))
}
